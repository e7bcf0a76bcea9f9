/** What a request to a service is authenticated by. */
export interface Shown {
  readonly headers: Readonly<Record<string, string>>;
  /** What an answer must not have in it. */
  readonly texts: readonly string[];
}
