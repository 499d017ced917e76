// `/esker.js`: what a project's own pages can use. docs/how-to.md says how, public/esker.d.ts what there is.
import { resource, whatIf } from "./own";
import { model } from "./sync/esker";

export { model, resource, whatIf };
export default { model, resource, whatIf };
