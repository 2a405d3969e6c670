// A file of its own: what has functions alone is read when they are first called.
/** Pivots within this ratio leave the inverse enough digits. */
export const wellConditioned = 1e-6;
