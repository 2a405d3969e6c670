/** A file of the site: what is sent for its address. */
export interface SiteFile {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}
