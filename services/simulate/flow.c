int placeholder_flow(void);
int placeholder_flow(void) { return 0; }
