/** The release of Kedge: what `requires.server` of a manifest is held against. A test holds it equal to package.json. */
export const KEDGE_VERSION = '1.0.0';
