/** The program of a host process: TypeScript beside this file in a clone, a bundle of its own beside the main one in the package. */
export const HOST_ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './host-main.ts' : './host-main.js',
  import.meta.url,
);

/** File descriptors of a host process beyond the usual three. */
export const CALLS_FD = 3;
/** Closes when the parent dies; the host says here why it ends itself. */
export const LIFELINE_FD = 4;
