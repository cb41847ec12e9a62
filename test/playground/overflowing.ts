// Elements that do not fit into the window, measured in the page.

/** Returns the elements that overflow the page sideways, and the controls that are too small to touch. */
export function overflowing(): string[] {
  const { clientWidth, scrollWidth } = document.documentElement;
  const wide = scrollWidth > clientWidth ? [`${scrollWidth} px wide`] : [];
  const visible = Array.from(document.body.querySelectorAll("*")).filter(
    (element) => element.checkVisibility() && !element.matches(".sr"),
  );
  const out = visible.filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < 0 || right > clientWidth + 0.5;
  });
  const small = visible.filter((element) => {
    const { width, height } = element.getBoundingClientRect();
    return element.matches("button, input, select") && (width < 40 || height < 40);
  });
  return [...wide, ...[...out, ...small].map((element) => element.outerHTML.slice(0, 80))];
}
