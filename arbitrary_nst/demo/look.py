"""How the demo looks: a quiet wall with a picture on it, in system fonts."""

from __future__ import annotations

import gradio as gr

from arbitrary_nst.demo.look_narrow import NARROW

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace")


def theme() -> gr.themes.Base:
    """Warm greys around the pictures, one calm accent; no font comes from the network."""
    return gr.themes.Base(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="stone",
        font=SANS,
        font_mono=MONO,
        radius_size="sm",
    ).set(
        body_background_fill="#f5f3ef",
        body_background_fill_dark="#161412",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        button_primary_background_fill="*primary_800",
        button_primary_background_fill_hover="*primary_900",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        button_primary_text_color="white",
        button_secondary_background_fill="#e8e4dc",
        button_secondary_background_fill_hover="#dcd7cd",
        button_secondary_background_fill_dark="#2c2926",
        button_secondary_background_fill_hover_dark="#3a3632",
        button_secondary_text_color="*neutral_800",
        button_secondary_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        input_background_fill="#fffefb",
        input_background_fill_dark="#221f1c",
        input_border_width="1px",
        input_border_color="#ddd8ce",
        input_border_color_dark="#3f3a35",
        slider_color="*primary_700",
        slider_color_dark="*primary_500",
    )


# In the head of the page, since Gradio puts a prefix before every rule of its own `css`.
CSS = """
:root { --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", "URW Palladio L",
  Georgia, "Times New Roman", serif; --line: #ddd8ce; --accent: #0f766e; --wall: #f5f3ef; }
.dark { --line: #35312d; --accent: #2dd4bf; --wall: #161412; }

/* The frame of the page, whose width else the row of tabs decides. */
.gradio-container { max-width: 1280px !important; margin: 0 auto !important;
  overflow: clip !important; }  /* "hidden" would keep the picture from staying in sight */
.form { background: none !important; border: none !important; box-shadow: none !important;
  overflow: visible !important; gap: 6px !important; }
.gradio-container, .gradio-container .main, .main > .wrap, .contain { min-width: 0 !important;
  width: 100%; }
.gradio-container .main.fillable { padding: 10px 24px !important; }
/* Shown when all of it is there; see `script.py`. */
html:not(.whole) .gradio-container > * { visibility: hidden !important; }
.tabs, .tabs .tabitem { min-width: 0; }
.tab-wrapper { margin-bottom: 0 !important; }
.tabs .tabitem { padding: 10px 0 0 !important; border: none !important; }
#top { flex-wrap: nowrap; align-items: center !important; gap: 24px; }
#title { flex: 1 1 auto !important; padding: 0; }
#title h1 { font: 500 27px/1.1 var(--serif); letter-spacing: -.01em; margin: 0; }
#title p { color: var(--body-text-color-subdued); margin: .25em 0 0; font-size: 14px; }
.sheet { display: none !important; }
.quiet { min-height: 1.5em; color: var(--body-text-color-subdued); padding: 0 !important; }
.quiet p { color: inherit !important; margin: 0; font-size: 14px; }
.quiet code { color: inherit; }

/* The photo, and what brings another. */
#photo { flex: none !important; align-items: center !important; gap: 14px; flex-wrap: nowrap;
  width: max-content !important; max-width: 100%; }
#photo-info { padding: 0 !important; flex: 0 1 auto !important; min-width: 0 !important;
  width: auto !important; }
#photo-info .html-container { padding: 0 !important; }
#photo .form { flex: 0 0 auto !important; min-width: 0 !important; }
.about { display: flex; gap: 10px; align-items: center; margin: 0 !important; font-size: 12.5px;
  line-height: 1.35; color: var(--body-text-color-subdued); }
.about img { width: 46px; height: 46px; object-fit: cover; border-radius: 2px; }
.about span { max-width: 230px; }
.about b { color: var(--body-text-color); font-weight: 600; overflow-wrap: anywhere; }
#choose, #remove-photo { font-size: 13.5px; min-height: 44px; white-space: nowrap;
  font-weight: 500; flex: none !important; padding: 0 14px; min-width: 0 !important;
  width: auto !important; }
#samples { padding: 0; flex: 0 0 auto !important; }
#samples > span, #styles > span { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }
#samples .wrap { grid-template-columns: repeat(4, 46px) !important; }
#samples label { width: 46px; height: 46px; }
#samples label span { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }
body.dragging::after { content: "Drop it anywhere: it becomes your photo"; position: fixed;
  inset: 12px; z-index: 1000; display: grid; place-items: center; pointer-events: none;
  font: 500 28px var(--serif); color: var(--body-text-color); border-radius: 8px;
  background: color-mix(in srgb, var(--wall) 88%, transparent); border: 2px dashed var(--accent); }

/* The room: the picture on the wall, and the desk beside it. */
.room { gap: 28px !important; align-items: flex-start; }
.wall, .desk { gap: 8px !important; }
.desk > *, .wall > * { min-width: 0; }
.stage { gap: 6px !important; }
.picture { padding: 0 !important; border: none !important; background: transparent !important;
  overflow: visible !important; position: relative; height: 420px !important; isolation: isolate; }
.picture .image-container, .picture .slider-wrap, .picture .wrap { height: 100% !important; }
.picture img { max-height: 100% !important; }
.picture img { object-fit: contain; }
.picture .icon-wrap { background: white !important; color: #292524 !important;
  border-radius: 999px !important; }
.picture .outer { clip-path: inset(var(--below, 0px) -30px); }  /* its line ends with the picture */
.picture .icon-button-wrapper { border: none !important; border-radius: 2px !important;
  top: calc(var(--below, 0px) + 8px) !important; right: calc(var(--beside, 0px) + 8px) !important;
  background: color-mix(in srgb, var(--wall) 80%, transparent) !important; }
.picture::before, .picture::after { position: absolute; z-index: 30;
  bottom: calc(var(--below, 0px) + 8px); font-size: 12px;
  padding: 2px 8px; color: white; background: rgba(20, 18, 16, .66); border-radius: 2px;
  pointer-events: none; letter-spacing: .02em; }
.picture:has(img)::before { content: "Before"; left: calc(var(--beside, 0px) + 8px); }
.picture:has(img)::after { content: "After"; right: calc(var(--beside, 0px) + 8px); }
#status p, #pad-status p, #painting-status p { font: italic 15px/1.4 var(--serif); }
.stage .quiet { height: 42px; }

/* Choices as pictures; see tiles.py. */
.tiles { padding: 0 !important; overflow: visible !important; }
.tiles .wrap:not(.default) { display: grid !important; gap: 6px !important;
  grid-template-columns: repeat(8, 1fr); }
.tiles label { position: relative; display: block !important; padding: 0 !important;
  overflow: hidden; border-radius: 2px; border: none !important; cursor: pointer;
  box-shadow: none !important; background: var(--picture, var(--line)) center / cover !important;
  user-select: none; -webkit-touch-callout: none; }
#styles label { height: 76px; }
#styles label span { max-height: 35px; }  /* two lines; the third is for those who hear or hover */
.tiles label input { position: absolute; top: 6px; left: 6px; margin: 0; opacity: 0; }
.tiles label span { position: absolute; inset: auto 0 0 0; margin: 0 !important;
  padding: 3px 5px 0; border-bottom: 4px solid transparent;
  display: block !important; white-space: pre; text-overflow: ellipsis;
  overflow: hidden; background: rgba(20, 18, 16, .74); color: white;
  font-size: 10.5px;
  line-height: 14px; text-align: left; font-stretch: semi-condensed; }
.tiles label::after { content: ""; position: absolute; inset: 0; border-radius: inherit;
  pointer-events: none; }
.tiles label:hover::after { box-shadow: inset 0 0 0 2px rgba(255, 255, 255, .75); }
.tiles label:has(input:checked)::after { box-shadow: inset 0 0 0 3px var(--accent),
  inset 0 0 0 4px white; }
.tiles label:has(input:focus-visible)::after { outline: 3px solid var(--body-text-color);
  outline-offset: -3px; }
#closer { position: fixed; z-index: 900; width: 320px; pointer-events: none; margin: 0;
  background: var(--wall); border: 1px solid var(--line); border-radius: 3px; padding: 8px;
  box-shadow: 0 12px 40px rgba(0, 0, 0, .35); }
#closer[hidden] { display: none; }
#closer div { height: 214px; background: center / contain no-repeat; }
#closer figcaption { font: italic 15px/1.35 var(--serif); color: var(--body-text-color);
  margin-top: 6px; text-align: center; }

/* A style of the mix: its picture, its slider, its number, and the cross that takes it out. */
#slots { min-height: 272px; gap: 4px !important; flex: none; background: repeat-y 0 0 / 42px 46px
  url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='42' height='46'%3E\
%3Crect x='.5' y='.5' width='41' height='41' rx='2' fill='none' stroke='%23948c80'\
 stroke-opacity='.6' stroke-dasharray='3 3'/%3E%3C/svg%3E"); }  /* places for six */
#slots:not(:has(#slot-6))::after { content: "To add a style, choose its picture.";
  padding-left: 50px; line-height: 42px; font-size: 13px; color: var(--body-text-color-subdued); }
#slots .slot { gap: 8px !important; flex-wrap: nowrap !important; align-items: center !important;
  height: 42px; flex: none; }
#slots .slot::before { content: ""; flex: 0 0 42px; height: 42px; border-radius: 2px;
  background: var(--picture, var(--line)) center / cover; }
.block:has(> .wrap > .head), .controls .block { padding: 0 !important;
  overflow: visible !important; }
.wrap:has(> .head) { display: grid !important; gap: 0 8px;
  grid-template: "name number" auto "range number" 20px / 1fr 54px;
  align-items: center; }
.wrap > .head { display: contents !important; }
.wrap > .head label { grid-area: name; margin: 0; min-width: 0; }
.wrap > .head label span { margin: 0 !important; font-size: 13px;
  line-height: 1.3; display: block; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; color: var(--body-text-color); }
/* A name that is too long for the line, as the page finds out, gets two small ones. */
.wrap > .head label span.long { font-size: 10.5px; line-height: 10.5px; white-space: normal;
  overflow-wrap: anywhere; max-height: 21px; }
.wrap > .head .tab-like-container { grid-area: number; margin: 0 !important;
  height: auto !important; overflow: visible !important; border: none !important; }
.wrap > .slider_input_container { grid-area: range; }
.min_value, .max_value { display: none !important; }
input[type="number"] { height: 32px !important; width: 54px !important; min-width: 0 !important;
  max-width: 100% !important;
  box-sizing: border-box;
  text-align: center !important;
  padding: 2px 4px !important; border-radius: 2px; }
input[type="range"] { touch-action: pan-y; }
.dark input[type="range"] { --neutral-200: #44403c; }
input[type="range"]:focus-visible, input[type="number"]:focus-visible,
input[type="checkbox"]:focus-visible, input[type="radio"]:focus-visible,
button:focus-visible, a:focus-visible, [tabindex]:focus-visible,
input[role="combobox"]:focus-visible {
  outline: 3px solid var(--accent) !important; outline-offset: 2px !important; }
.remove { font-size: 0 !important; width: 32px !important; min-width: 32px !important;
  height: 32px !important; padding: 0 !important; background: none !important;
  border: none !important; box-shadow: none !important; flex: none !important; }
.remove::before { content: "\\00d7" / ""; font-size: 22px; font-weight: 300;
  color: var(--body-text-color); }
.small-buttons { gap: 6px !important; flex-wrap: nowrap !important; }
.small-buttons button { font-weight: 500; font-size: 13px; padding: 4px 6px; }
.controls { gap: 6px !important; }
#preset { padding: 0 !important; display: block; }
#preset .container > span { margin: 0 0 2px; font-size: 13px; }
#preset .wrap, .small-choices .wrap { min-height: 36px; }
#preset .wrap-inner, .small-choices .wrap-inner { padding: 0 !important; }
#preset input, .small-choices input { padding: 4px 28px 4px 10px !important;
  text-overflow: ellipsis; }
.saving { gap: 6px !important; }
.progress { padding: 0 !important; min-height: 0; }
.saving .progress:not(:has(p)) { display: none; }
.progress p { margin: 0 0 4px; font-size: 13px; }
#about { color: var(--body-text-color-subdued); font-size: 13px; padding: 6px 0 0;
  border-top: 1px solid var(--line); }
#about .html-container { padding: 0 !important; }
.label-wrap { align-items: center !important; }  /* else its turned arrow leaves the page */
.block:has(> .label-wrap) { padding-left: 0 !important; padding-right: 0 !important; }
footer > :not(.show-api), footer .show-api img { display: none !important; }
#about p { margin: 0; max-width: 92ch; line-height: 1.5; }
.tab-container button { color: var(--body-text-color-subdued); font-size: 15px; }
.tab-container button.selected { color: var(--body-text-color) !important; font-weight: 600; }
.tab-container button.selected::after { background: var(--accent) !important; }

/* Colours of code with enough contrast on both grounds. */
.cm-editor, .cm-editor .cm-content span { color: #44403c !important; }
.cm-editor .cm-content span[class]:nth-child(odd) { color: #115e59 !important; }
.dark .cm-editor, .dark .cm-editor .cm-content span { color: #e7e5e4 !important; }
.dark .cm-editor .cm-content span[class]:nth-child(odd) { color: #99f6e4 !important; }

/* The last pictures. */
#recent-box, #recent-box .html-container { padding: 0 !important; }
#recent-box::before { content: "Your last pictures"; font-size: 13px;
  color: var(--body-text-color-subdued); }
#recent { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); gap: 4px;
  min-height: 41px; }
#recent button { aspect-ratio: 1; min-height: 0; min-width: 0; border-radius: 2px; padding: 0;
  border: none; cursor: pointer; background: center / cover; }
#recent button:hover { box-shadow: 0 0 0 2px var(--accent); }

/* Choices of a style from a list. */
.small-choices { gap: 6px !important; }
.small-choices .block, .desk .block, .bench .block { padding: 0 !important; }
.small-choices .block > label > span, .small-choices .container > span { margin: 0 0 2px;
  font-size: 13px; }
/* The colour of each brush before its style. */
[id^="brush-"] .container > span::before { content: ""; display: inline-block; width: 11px;
  height: 11px; margin-right: 7px; border-radius: 50%; background: var(--brush);
  vertical-align: -1px; }

/* Where styles go: the picture, and beside it the photo to brush over. */
.halves .stage, .halves .desk { min-width: 0; }
#regions-result { height: 345px !important; }
/* The photo as large as its picture, and the tools below it, where they hide nothing of it. Gradio
   leaves 30 pixels around the photo, which are cut off here. */
#regions-editor { --high: 345px; --wide: min(100%, calc(var(--high) * var(--ratio, 1.5)));
  position: relative; z-index: 0; isolation: isolate; overflow: visible !important;
  height: calc(var(--high) + 48px) !important; }
#regions-editor .image-container { position: static; }
#regions-editor .pixi-target, #regions-editor .pixi-target-crop { inset: auto; top: -30px;
  left: calc(50% - var(--wide) / 2 - 30px); width: calc(var(--wide) + 60px);
  height: calc(var(--high) + 60px); clip-path: inset(30px round 2px); }
#regions-editor .toolbar-wrap, #regions-editor .icon-button-wrapper { top: auto !important;
  bottom: 0; height: 44px; gap: 2px; border: none !important; background: none !important;
  align-items: center; }
#regions-editor .toolbar-wrap { left: 0; right: auto; width: auto; flex-direction: row; }
#regions-editor .icon-button-wrapper { right: 0 !important; }
#regions-editor .half-container { flex-direction: row; width: auto; padding: 0; border: none;
  gap: 2px; }
#regions-editor .toolbar-wrap button { width: 40px; height: 40px; border-radius: 3px; }
#regions-editor .toolbar-wrap button.highlight { background: var(--line); }
#regions-editor .half-container > .wrap { inset: auto auto calc(100% + 6px) 0; transform: none;
  accent-color: var(--accent); }
#regions-editor .half-container .swatch { grid-template-columns: repeat(3, 40px); }
#regions-editor .half-container .swatch button { width: 40px; height: 40px; }
.bench { gap: 28px !important; margin-top: 4px; }
.painting:not(:has(img)) .block:has(> .wrap > .head) { visibility: hidden; }

/* Four styles at the corners. */
#pad-result { height: 320px !important; }
#pad { padding: 0; }
.pad { position: relative; width: 100%; max-width: 220px; aspect-ratio: 1; margin: 0 auto;
  border-radius: 2px; overflow: hidden; cursor: crosshair; touch-action: none;
  display: grid; grid-template: 1fr 1fr / 1fr 1fr; user-select: none; }
.pad div { background: center / cover; position: relative; }
.pad span { position: absolute; padding: 3px 7px; font-size: 12px; color: white !important;
  background: rgba(20, 18, 16, .74); max-width: 100%; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.pad div:nth-child(-n+2) span { top: 0; } .pad div:nth-child(n+3) span { bottom: 0; }
.pad div:nth-child(2n) span { right: 0; }
.pad i { position: absolute; width: 22px; height: 22px; margin: -11px; border-radius: 50%;
  border: 3px solid white; background: var(--accent); box-shadow: 0 0 0 1px #0008;
  left: calc(var(--x, .5) * 100%); top: calc(var(--y, .5) * 100%); pointer-events: none; }

/* A gallery is as high as its pictures. */
#strip .grid-wrap, #own-styles .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; }
#strip { min-height: 140px; padding: 0 !important; }
#strip .thumbnail-lg, #strip .gallery-item { height: 136px !important;
  aspect-ratio: auto !important; }
#strip .grid-wrap { padding: 0 !important; }
#strip .thumbnail-lg { display: flex; flex-direction: column; gap: 4px; overflow: visible;
  border: none !important; box-shadow: none !important; background: none !important; }
#strip .thumbnail-lg img { flex: 1 1 0; min-height: 0; object-position: bottom;
  border-radius: 2px !important; }
#strip .thumbnail-item:focus-visible { outline-offset: -3px !important; }
#strip .thumbnail-lg:hover .caption-label { color: var(--body-text-color); }
#strip .caption-label { position: static; flex: none; max-width: 100%; padding: 0; border: none;
  background: none; text-align: center; font-size: 12px; color: var(--body-text-color-subdued);
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
#own-styles .caption-label { max-width: 100%; white-space: normal; overflow-wrap: anywhere;
  font-size: 11px; line-height: 14px; }
#own-styles { min-height: 110px; padding: 0 !important; }
/* As large as in the choice of styles, also where there are few of them. */
#own-styles .grid-wrap { padding: 0 !important; }
#own-styles .grid-container { grid-template-columns: repeat(6, 1fr) !important; }
#own-styles .empty { height: 140px !important; min-height: 0 !important; }
#own-styles .empty .icon { display: none; }
#own-styles .empty::after { content: "Your styles hang here."; font: italic 15px/1.4 var(--serif);
  color: var(--body-text-color-subdued); }
#own-styles .empty, #painting-1, #painting-2, #painting-3, #painting-4, #own-paintings {
  border: 1px dashed color-mix(in srgb, var(--body-text-color) 35%, transparent) !important;
  border-radius: 3px !important; }
progress { width: 100%; height: 6px; appearance: none; border: none; border-radius: 3px;
  overflow: hidden; background: var(--line); display: block; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
progress:indeterminate { animation: waiting 1.5s ease-in-out infinite alternate; }
progress:indeterminate::-webkit-progress-bar { background: var(--accent); }
progress:indeterminate::-moz-progress-bar { width: 100%; }
@keyframes waiting { from { opacity: .25; } to { opacity: .8; } }

@media (prefers-reduced-motion: reduce) {
  * { transition: none !important; animation: none !important; }
}
"""
CSS += NARROW
