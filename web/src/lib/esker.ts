// `/esker.js`: what a project's own pages can use. docs/how-to.md says how, public/esker.d.ts what there is.
import { beginAt } from "./base";
import { resource, whatIf } from "./own";
import { model } from "./sync/esker";

// The server, or one of several projects of it, is where this file is from.
const file = import.meta.url;
beginAt(new URL(".", file).href);

export { model, resource, whatIf };
export default { model, resource, whatIf };
