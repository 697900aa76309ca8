/* order_flow_kit: options of a flow to be changed at will, and how near is near. */
#ifndef OUTCRY_UNIT_SERVICES_ORDER_FLOW_KIT_H
#define OUTCRY_UNIT_SERVICES_ORDER_FLOW_KIT_H

#include "simulate/order_flow.h"

/* Two symbols, AAPL about 10000 and SPREAD about 0; 100 a second, seed 1, session "t-". */
struct order_flow_options order_flow_kit_options(void);

/* Fails the test unless |found - expected| <= tolerance. */
void order_flow_kit_near(double found, double expected, double tolerance);

#endif
