// What a reader prefers: kept in this browser, applied to the whole page.

const KEY = "esker.tastes";
export const THEMES = ["system", "light", "dark"] as const;
export const DENSITIES = ["comfortable", "compact"] as const;

export class Tastes {
  theme = $state<(typeof THEMES)[number]>("system");
  density = $state<(typeof DENSITIES)[number]>("comfortable");
  /** Keys without Ctrl do something; off for readers whose voice or switch types them. */
  keys = $state(true);

  constructor() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
      this.theme = THEMES.find((one) => one === kept["theme"]) ?? "system";
      this.density = DENSITIES.find((one) => one === kept["density"]) ?? "comfortable";
      this.keys = kept["keys"] !== false;
    } catch {
      // Nothing is kept, or it cannot be read: then as for everybody.
    }
  }

  /** Applies them, and keeps what is not as for everybody; to be called in an effect. */
  apply(): void {
    const { theme, density, keys } = this;
    Object.assign(document.documentElement.dataset, { theme, density });
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, density, keys }));
    } catch {
      // A browser that keeps nothing still shows it.
    }
  }
}
