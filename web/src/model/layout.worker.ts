// Lays out graphs beside the page, which stays quick meanwhile.
import { layout } from "../core/layout";
import type { Shape } from "../core/shape";

self.onmessage = (event: MessageEvent<Shape>) => {
  self.postMessage(layout(event.data));
};
