/** No state value, argument or committed response is larger: blocks stay small and ranges streamable. */
export const MAXIMUM_VALUE_BYTES = 64 * 1024;
