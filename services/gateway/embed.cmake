# The bytes of IN as C, under the names of openapi.h, in OUT.
#
#   cmake -DIN=openapi.json -DOUT=openapi.c -P embed.cmake
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT}
     "#include \"gateway/openapi.h\"\n\n"
     "const unsigned char openapi_json[] = {\n${bytes}};\n"
     "const unsigned int openapi_json_size = sizeof openapi_json;\n")
