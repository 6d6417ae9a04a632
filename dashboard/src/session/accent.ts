/**
 * A portal link's colour in place of the platform's own. It comes as a constructed sheet, since the policy refuses
 * styles that stand in the page.
 */

const sheet = new CSSStyleSheet();

/** The link's colour, or none. Anything but six digits is none: nothing else may come into a sheet. */
export function setAccent(accent: string | null | undefined) {
  const isColour = accent != null && /^#[0-9a-f]{6}$/i.test(accent);
  const others = document.adoptedStyleSheets.filter((each) => each !== sheet);
  document.adoptedStyleSheets = isColour ? [...others, sheet] : others;
  if (!isColour) return;
  sheet.replaceSync(`:root[data-theme] { --primary: ${accent}; --on-primary: ${textOn(accent)}; }`);
}

const DARK = '#031035';
const LIGHT = '#ffffff';

/** The colour of text on it: whichever of the two has more contrast (WCAG 2.2, “contrast ratio”). */
export function textOn(colour: string): string {
  const against = (text: string) => {
    const [lighter, darker] = [luminance(colour), luminance(text)].sort((a, b) => b - a) as [
      number,
      number,
    ];
    return (lighter + 0.05) / (darker + 0.05);
  };
  return against(DARK) > against(LIGHT) ? DARK : LIGHT;
}

/** Relative luminance of `#rrggbb`, from 0 to 1 (WCAG 2.2). */
function luminance(colour: string): number {
  const part = (from: number) => {
    const share = Number.parseInt(colour.slice(from, from + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}
