// Lays out graphs beside the page, which stays quick meanwhile.
import { layout, type Shape } from "../core/layout";

self.onmessage = (event: MessageEvent<Shape>) => {
  self.postMessage(layout(event.data));
};
