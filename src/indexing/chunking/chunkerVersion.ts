/** Part of an index's name: raise it when the same file would be cut differently, and indexes are made anew beside the old ones. */
export const CHUNKER_VERSION = 1;
