// What every story of a project in the browser has: a project of its own, and a page that must not have complained at its end.
import { test as base } from "@playwright/test";
import { complaintsOf } from "./look.ts";
import { Project } from "./project.ts";

interface Story {
  /** A copy of the example, not started; gone with the story. */
  project: Project;
  complaints: string[];
}

export const test = base.extend<Story>({
  // Playwright reads from the first argument what a fixture needs.
  project: async ({}, use) => {
    const project = new Project();
    await use(project);
    await project.remove();
  },
  complaints: [
    async ({ page }, use) => {
      const complaints = complaintsOf(page);
      await use(complaints);
      base.expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});
