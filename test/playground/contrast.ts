// Contrast of text and of the edges of controls, measured in the page.

/**
 * Returns the texts and edges of controls with too little contrast to their background.
 *
 * @param least how many texts and edges the page has at least, so that a page that did not load is found
 */
export function lowContrast(least: number): string[] {
  const channels = (color: string) => {
    const [r = 0, g = 0, b = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    if (!color.startsWith("rgb") || ![0, 1].includes(alpha)) throw new Error(`cannot measure ${color}`);
    return { rgb: [r, g, b], alpha };
  };
  const luminance = (color: string) => {
    const [r, g, b] = channels(color).rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: string, other: string) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element: Element | null): string => {
    if (element === null) return "rgb(255, 255, 255)";
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor).alpha === 1 ? backgroundColor : behind(element.parentElement);
  };
  const found: string[] = [];
  let measured = 0;
  const measure = (what: string, one: string, other: string, wanted: number) => {
    measured++;
    const ratio = contrast(one, other);
    if (ratio < wanted) found.push(`${what}: ${ratio.toFixed(2)}, ${one} on ${other}`);
  };
  for (const element of Array.from(document.body.querySelectorAll<HTMLElement>("*"))) {
    if (!element.checkVisibility()) continue;
    const { color, borderTopColor, borderTopWidth } = getComputedStyle(element);
    const own = Array.from(element.childNodes).some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
    );
    if (own || element.matches("input")) measure(element.outerHTML.slice(0, 60), color, behind(element), 4.5);
    if (element.matches("input") && Number.parseFloat(borderTopWidth) > 0)
      measure(`edge of ${element.id}`, borderTopColor, behind(element.parentElement), 3);
  }
  return measured < least ? [`only ${measured} measured`] : found;
}
