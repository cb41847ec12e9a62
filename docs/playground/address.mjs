// State in the address: every input under the name of the library's option, so a link is a layout and Back is undo. It is
// in the fragment, so no server sees it.

/** Returns the link to the state of a form, optionally with other values in some fields. */
export function linkTo(form, changes = {}) {
  const { id, ...layout } = Object.fromEntries(new FormData(form));
  return `#${new URLSearchParams({ ...layout, id, ...changes })}`;
}

/** The control that made the newest entry of the history. */
let newest;

/** Fills a form from the address. Missing values are the defaults, except for the ID, because it belongs to one layout. */
export function restore(form) {
  newest = undefined;
  form.reset();
  if (location.hash === "") return;
  const linked = new URLSearchParams(location.hash.slice(1));
  for (const input of form.querySelectorAll("input"))
    input.value = linked.get(input.name) ?? (input.name === "id" ? "" : input.defaultValue);
}

/** Writes the state of a form into the address. Consecutive changes by one control are one entry of the history. */
export function remember(form, control) {
  const link = linkTo(form);
  if (link === location.hash) return;
  history[control === newest ? "replaceState" : "pushState"](null, "", link);
  newest = control;
}
