// Where what is asked of the server begins: at its root, or below the name of one of several projects.

let base = "/";

/** Says where; before anything is asked for. */
export function beginAt(url: string): void {
  base = url;
}

/** Where something of the project is: `within("api/log")`. */
export function within(path: string): string {
  return base + path;
}
