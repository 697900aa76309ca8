/* openapi: what /openapi.json says: the file openapi.json, built into the program. */
#ifndef OUTCRY_GATEWAY_OPENAPI_H
#define OUTCRY_GATEWAY_OPENAPI_H

extern const unsigned char openapi_json[];
extern const unsigned int openapi_json_size;

#endif
