// A loader for as long as the component that asks for it is there.
import { untrack } from "svelte";
import { Loader } from "./loader.svelte";
import { useModel } from "./model";

/** What failed because nobody answered is asked for again as soon as someone does. */
export function useLoader<T>(): Loader<T> {
  const { live } = useModel();
  const loader = new Loader<T>();
  $effect(() => {
    if (live.badge === "live" && untrack(() => loader.error)) loader.again();
  });
  $effect(() => () => loader.stop());
  return loader;
}
