/**
 * About how many tokens a text is. Vocabularies differ; this errs on the side of too many: Latin letters come at four to a
 * token in most of them, Hebrew, Arabic and Cyrillic at about two, Chinese and Japanese at about one.
 */
export function estimateTokens(text: string): number {
  let latin = 0;
  let wide = 0;
  let other = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x250) latin++;
    else if (code >= 0x2e80) wide++;
    else other++;
  }
  return Math.ceil(latin / 3.5 + other / 1.8 + wide / 0.9);
}
