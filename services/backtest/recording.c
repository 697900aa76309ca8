int placeholder_recording(void);
int placeholder_recording(void) { return 0; }
