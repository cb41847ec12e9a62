// The address holds all that was typed, under the names of the library's options: a link is a layout, and Back is undo.
// It stands behind the #, so no server ever sees it.

/** The link to what a form holds, or would hold with other values in some fields. */
export function linkTo(form, changes = {}) {
  const { id, ...layout } = Object.fromEntries(new FormData(form));
  return `#${new URLSearchParams({ ...layout, id, ...changes })}`;
}

/** The control that the newest entry of the history is of. */
let newest;

/** Fills a form from the address. What a link leaves out is as at the start; but an ID belongs to one layout. */
export function restore(form) {
  newest = undefined;
  form.reset();
  if (location.hash === "") return;
  const linked = new URLSearchParams(location.hash.slice(1));
  for (const input of form.querySelectorAll("input"))
    input.value = linked.get(input.name) ?? (input.name === "id" ? "" : input.defaultValue);
}

/** Writes what a form holds into the address. What one control does in a row is one step back. */
export function remember(form, control) {
  const link = linkTo(form);
  if (link === location.hash) return;
  history[control === newest ? "replaceState" : "pushState"](null, "", link);
  newest = control;
}
