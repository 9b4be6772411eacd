"""How the demo looks on narrow screens, and where it is used by finger."""

from __future__ import annotations

NARROW = """
@media (max-width: 900px) {
  #top { flex-wrap: wrap; }
  .tiles .wrap { grid-template-columns: repeat(4, 1fr); }
}
@media (max-width: 640px) {
  .gradio-container .main.fillable { padding: 10px 12px !important; }
  #top { gap: 8px; }
  #title h1 { font-size: 23px; }
  #title p { display: none; }
  #photo { flex-wrap: wrap; width: 100% !important; gap: 8px; }
  #photo-info { flex: 1 1 100% !important; }
  /* Beside the samples, where it moves nothing when it comes. */
  #photo > .form:has(#samples) { order: 1; }
  #remove-photo { order: 2; margin-left: auto; padding: 0 8px; }
  .tab-container button { padding: 0 3px !important; font-size: 12.5px !important;
    min-height: 44px; }
  #slots { min-height: 0; background: none; }
  #own-styles .grid-container { grid-template-columns: repeat(3, 1fr) !important; }
  #slots::after { padding-left: 0 !important; line-height: 1.6 !important; }
  #choose { flex: 1 1 100% !important; }
  #recent { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .halves { display: contents !important; }
  .halves .desk { margin-top: 8px; }
  .pad { max-width: 260px; }
  #strip .grid-wrap { overflow-x: auto; }
  #strip .grid-container { grid-template-columns: repeat(5, 44%) !important; }
  .painting:not(:has(img)) .block:has(> .wrap > .head) { display: none; }
  .room { gap: 12px !important; }
  /* The picture stays in sight while its sliders move and styles are chosen. */
  .room, .wall { display: contents !important; }
  /* Above the labels of Gradio's fields, which have a height of their own, and below its lists. */
  .stage { position: sticky !important; top: 0; z-index: 60; background: var(--wall);
    padding: 4px 0 6px; }
  /* As high as it needs, or a third of the screen. */
  .stage .picture, #pad-result, #regions-result { height: var(--high) !important; }
  .stage .picture, #regions-editor {
    --high: min(34vh, calc((100vw - 24px) / var(--ratio, 1.5))); }
  /* Two rows to swipe along, so that the sliders are near. */
  #styles .wrap:not(.default) { grid-template: repeat(2, 76px) / none;
    grid-auto-flow: column; grid-auto-columns: 104px; overflow: auto hidden;
    scrollbar-width: thin; padding-bottom: 6px; }
  .controls .block { padding-top: 2px !important; }
  .stage .quiet { height: 38px; }
  .stage .quiet p { font-size: 13.5px !important; line-height: 1.35 !important;
    display: -webkit-box; overflow: hidden;
    -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
}
@media (max-width: 640px), (pointer: coarse) {
  #slots .slot { height: 60px; }
  .wrap:has(> .head) { grid-template: "name number" 16px "range number" 44px / 1fr 54px; }
  .slider_input_container { min-height: 44px; }
  .slider_input_container input[type="range"] { height: 44px !important;
    background: transparent; }
  input[type="number"], .small-buttons button, .remove { min-height: 44px !important;
    height: 44px !important; }
  .remove { width: 44px !important; min-width: 44px !important; }
  label.checkbox-container, #size label, #quality label { min-height: 44px; }
  .label-wrap, .desk button, .room button.lg { min-height: 44px; }
  #regions-editor .half-container button, #regions-editor .icon-button-wrapper button {
    width: 44px; min-height: 44px; }
  #regions-editor .half-container .swatch { grid-template-columns: repeat(3, 44px); }
  /* Two fingers zoom. */
  #regions-editor .zoom-number, #regions-editor .separator, #regions-editor [aria-label^="Zoom"],
  #regions-editor [aria-label="Pan"] { display: none; }
  input[role="combobox"] { min-height: 44px; }
}
"""
