"""How the demo looks: a quiet theme of system fonts, and the few rules it does not have."""

from __future__ import annotations

import gradio as gr

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace")


def theme() -> gr.themes.Base:
    """Neutral greys around the pictures, one calm accent; no font comes from the network."""
    return gr.themes.Base(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="stone",
        font=SANS,
        font_mono=MONO,
        radius_size="md",
    ).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_text_color="white",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
    )


CSS = """
.tabs { min-width: 0; }
#title h1 { font-weight: 600; letter-spacing: -.01em; margin: 0; }
#title p { color: var(--body-text-color-subdued); margin: .2em 0 0; }
.sheet { display: none !important; }
.quiet { min-height: 1.5em; color: var(--body-text-color-subdued); font-size: .95em; }
.quiet p { color: inherit; margin: 0; }

/* Choices as pictures; see tiles.py. */
.tiles .wrap { display: grid; gap: 8px;
  grid-template-columns: repeat(8, 1fr); }
.tiles label { position: relative; display: block; aspect-ratio: 1; padding: 0 !important;
  overflow: hidden; border-radius: var(--radius-md); border: none !important; cursor: pointer;
  background: var(--picture, var(--background-fill-secondary)) center / cover !important; }
.tiles label input { position: absolute; top: 6px; left: 6px; margin: 0; }
.tiles label span { position: absolute; inset: auto 0 0 0; margin: 0 !important; padding: 3px 5px;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  background: rgba(20, 20, 20, .72); color: white; font-size: 11px; line-height: 1.3;
  overflow-wrap: anywhere; text-align: left; }
.tiles label::after { content: ""; position: absolute; inset: 0; border-radius: inherit;
  pointer-events: none; }
.tiles label:hover::after { box-shadow: inset 0 0 0 2px rgba(255, 255, 255, .7); }
.tiles label:has(input:checked)::after { box-shadow: inset 0 0 0 4px var(--primary-500); }
.tiles label:has(input:focus-visible)::after {
  outline: 3px solid var(--body-text-color); outline-offset: -3px; }
#samples .wrap { grid-template-columns: repeat(4, 1fr); }
#samples label input { opacity: 0; }
#samples label span { font-size: 10.5px; padding: 2px 4px; }
#size .wrap { display: grid; grid-template-columns: repeat(2, 1fr); gap: 6px; }
#size label { padding: 5px 9px; }

/* A style of the mix: its slider, and the cross that takes it out. */
.slot { gap: 4px !important; flex-wrap: nowrap !important; align-items: stretch; }
.remove { font-size: 0 !important; width: 40px !important; min-width: 40px !important;
  padding: 0 !important; }
.remove::before { content: "\\00d7" / ""; font-size: 20px; font-weight: 400; }
#result img, #pad-result img, #painting-result img { object-fit: contain; }

/* Four styles at the corners. */
#pad { padding: 0; }
.pad { position: relative; width: 100%; max-width: 340px; aspect-ratio: 1; margin: 0 auto;
  border-radius: var(--radius-md); overflow: hidden; cursor: crosshair; touch-action: none;
  display: grid; grid-template: 1fr 1fr / 1fr 1fr; user-select: none; }
.pad div { background: center / cover; position: relative; }
.pad span { position: absolute; padding: 3px 7px; font-size: 12px; color: white;
  background: rgba(20, 20, 20, .72); max-width: 100%; }
.pad div:nth-child(-n+2) span { top: 0; } .pad div:nth-child(n+3) span { bottom: 0; }
.pad div:nth-child(2n) span { right: 0; }
.pad i { position: absolute; width: 22px; height: 22px; margin: -11px; border-radius: 50%;
  border: 3px solid white; background: var(--primary-600); box-shadow: 0 0 0 1px #0008;
  left: calc(var(--x, .5) * 100%); top: calc(var(--y, .5) * 100%); pointer-events: none; }

/* A gallery is as high as its pictures. */
#strip .grid-wrap, #own-styles .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; }
#own-styles { min-height: 240px; }
progress { width: 100%; height: 8px; appearance: none; border: none; border-radius: 4px;
  overflow: hidden; background: var(--background-fill-secondary); }
progress::-webkit-progress-bar { background: var(--border-color-primary); }
progress::-webkit-progress-value { background: var(--primary-600); }
progress::-moz-progress-bar { background: var(--primary-600); }
progress:indeterminate { animation: waiting 1.5s ease-in-out infinite alternate; }
progress:indeterminate::-webkit-progress-bar { background: var(--primary-600); }
progress:indeterminate::-moz-progress-bar { width: 100%; }
@keyframes waiting { from { opacity: .25; } to { opacity: .8; } }

@media (max-width: 640px) {
  .tab-container button { padding: 0 8px !important; font-size: 13.5px !important; }
  #size .wrap { grid-template-columns: repeat(4, 1fr); }
  .tiles .wrap { grid-template-columns: repeat(4, 1fr); }
  #strip .grid-container { grid-template-columns: repeat(2, 1fr) !important; }
  /* The picture stays in sight while its sliders move. */
  #stage { position: sticky; top: 0; z-index: 5; background: var(--body-background-fill); }
  #stage #result img { max-height: 46vh !important; }
}
@media (prefers-reduced-motion: reduce) {
  * { transition: none !important; animation: none !important; }
}
"""

# What Gradio's `css` does not reach, since it puts a prefix before every rule: the frame of the
# page, whose width else the row of tabs decides. And Gradio gives the pictures of a comparison no
# text to be read aloud.
HEAD = """
<style>
.gradio-container { max-width: 1280px !important; margin: 0 auto !important; }
.gradio-container, .gradio-container .main, .main > .wrap, .contain { min-width: 0 !important; }
.gradio-container, .gradio-container .main, .main > .wrap, .contain { width: 100%; }
@media (max-width: 640px) { .gradio-container .main.fillable { padding: 12px !important; } }
</style>
<script>
new MutationObserver(() => {
  for (const box of document.querySelectorAll("#result, #painting-result")) {
    box.querySelectorAll("img").forEach((image, index) => {
      const text = index ? "the painted picture" : "the photo before";
      if (image.alt !== text) image.alt = text;
    });
  }
}).observe(document, { childList: true, subtree: true });
</script>
"""
