// What /esker.js promises in esker.d.ts is what it has.
import { expect, it } from "vitest";
import type * as Told from "../../../public/esker";
import * as esker from "./esker";

it("has what its types say", () => {
  const told: Omit<typeof Told, "default"> = esker;
  const all: (typeof Told)["default"] = esker.default;
  expect(all.model).toBe(told.model);
});
