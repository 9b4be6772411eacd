"""What the page does by itself, in the visitor's browser."""

from __future__ import annotations

SCRIPT = r"""
(() => {
// Files from anywhere on the page become the photo, unless a field for others takes them.
const OTHERS = "[id^=painting-], #paintings, #own-paintings, #load-library, #camera";
const give = (files) => {
  const input = document.querySelector("#photo input[type=file]");
  const image = [...files].find((file) => file.type.startsWith("image/")) ?? files[0];
  if (!input || !image) return;
  const carrier = new DataTransfer();
  carrier.items.add(image);
  input.files = carrier.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
};
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const elsewhere = (event) => event.target.closest?.(OTHERS);
for (const name of ["dragenter", "dragover"]) {
  window.addEventListener(name, (event) => {
    if (!hasFiles(event)) return;
    document.body.classList.toggle("dragging", !elsewhere(event));
    if (elsewhere(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
window.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dragging");
}, true);
window.addEventListener("drop", (event) => {
  document.body.classList.remove("dragging");
  if (!hasFiles(event) || elsewhere(event)) return;
  event.preventDefault();
  event.stopPropagation();
  give(event.dataTransfer.files);
}, true);
window.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) {
    event.preventDefault();
    event.stopPropagation();
    give(event.clipboardData.files);
  }
}, true);

// A swipe up or down that begins on a slider scrolls, and leaves the slider where it was.
let touch = null;
document.addEventListener("touchstart", (event) => {
  const input = event.target.closest?.("input[type=range]");
  const at = event.touches[0];
  touch = input && { input, value: input.value, x: at.clientX, y: at.clientY, way: null };
}, { capture: true, passive: true });
const tell = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));
const set = (input, value) => {
  if (input.value === value) return;
  input.value = value;
  tell(input);
};
document.addEventListener("touchmove", (event) => {
  if (!touch || touch.way) return;
  const x = Math.abs(event.touches[0].clientX - touch.x);
  const y = Math.abs(event.touches[0].clientY - touch.y);
  if (Math.max(x, y) > 6) touch.way = y > x ? "scrolls" : "slides";
}, { capture: true, passive: true });
for (const name of ["touchend", "touchcancel"]) {
  document.addEventListener(name, () => {
    const { input, value, way } = touch ?? {};
    touch = null;
    if (!input || way === "slides") return;
    const isTap = name === "touchend" && way === null;
    setTimeout(() => {
      if (!isTap) set(input, value);
      else if (input.value !== value) tell(input);  // which was held back until here
    });
  }, { capture: true, passive: true });
}
document.addEventListener("input", (event) => {
  if (touch?.input === event.target && touch.way !== "slides" && event.isTrusted) {
    event.stopPropagation();  // not before it is known where the finger goes
  }
}, true);

// A style looked at closely: the visitor's photo in it, large.
let timer = null, pressed = false;
const closer = () => {
  let figure = document.querySelector("#closer");
  if (!figure) {
    figure = document.createElement("figure");
    figure.id = "closer";
    figure.hidden = true;
    figure.setAttribute("aria-hidden", "true");
    figure.innerHTML = "<div></div><figcaption></figcaption>";
    document.querySelector(".gradio-container").append(figure);
  }
  return figure;
};
const look = (tile) => {
  const picture = getComputedStyle(tile).getPropertyValue("--picture");
  if (!picture) return;
  const figure = closer(), box = tile.getBoundingClientRect();
  figure.firstChild.style.backgroundImage = picture;
  const lines = tile.textContent.trim().split("\n");  // a third has all that two cannot say
  figure.lastChild.textContent = lines[2] ?? lines.join(", ");
  figure.hidden = false;
  const { width, height } = figure.getBoundingClientRect();
  const left = box.left + box.width / 2 - width / 2;
  const above = box.top - height - 10;
  figure.style.left = `${Math.min(Math.max(8, left), innerWidth - width - 8)}px`;
  figure.style.top = `${above > 8 ? above : Math.min(box.bottom + 10, innerHeight - height - 8)}px`;
};
const away = () => { clearTimeout(timer); closer().hidden = true; };
const tileOf = (event) => event.target.closest?.("#styles label");
document.addEventListener("pointerover", (event) => {
  const tile = tileOf(event);
  if (event.pointerType !== "mouse") return;
  away();
  if (tile) timer = setTimeout(() => look(tile), 250);
});
document.addEventListener("pointerdown", (event) => {
  const tile = tileOf(event);
  pressed = false;
  away();
  if (tile && event.pointerType !== "mouse") {
    timer = setTimeout(() => { pressed = true; look(tile); }, 450);
  }
});
for (const name of ["pointerup", "pointercancel", "scroll"]) {
  document.addEventListener(name, away, true);
}
document.addEventListener("click", (event) => {
  if (!pressed || !tileOf(event)) return;
  pressed = false;  // a long press has looked; it does not choose
  event.preventDefault();
  event.stopPropagation();
}, true);
document.addEventListener("contextmenu", (event) => {
  if (tileOf(event) && pressed) event.preventDefault();
});

// The mix that is shown, and the link to it.
const shownMix = () => document.querySelector("#link textarea, #link input")?.value ?? "";
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("#copy-link");
  if (!button) return;
  const query = shownMix();
  const address = `${location.origin}${location.pathname}${query && "?"}${query}`;
  history.replaceState(null, "", address);
  try { await navigator.clipboard.writeText(address); button.textContent = "Copied"; }
  catch { button.textContent = "In the address bar"; }
  setTimeout(() => { button.textContent = "Copy link"; }, 2000);
});

// The last pictures, small, to go back to. They are kept here alone, and go with the photo.
const MOST = 8, SETTLED = 1500;
let recent = [], settling = null, seen = "";
const draw = () => {
  const row = document.querySelector("#recent");
  if (!row) return;
  row.replaceChildren(...recent.map(({ query, picture, words }, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = words;
    button.setAttribute("aria-label", `Picture ${index + 1}: ${words}`);
    button.style.backgroundImage = `url(${picture})`;
    button.addEventListener("click", () => {
      const field = document.querySelector("#recall textarea, #recall input");
      field.value = `${query}#${Date.now()}`;  // the same picture again is a change, too
      tell(field);
    });
    return button;
  }));
};
const keep = () => {
  const query = shownMix();
  const image = [...document.querySelectorAll("#result img")].at(-1);
  if (!query || !image?.naturalWidth) return;
  const side = 96, canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const scale = side / Math.min(image.naturalWidth, image.naturalHeight);
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  canvas.getContext("2d")
    .drawImage(image, (side - width) / 2, (side - height) / 2, width, height);
  const picture = canvas.toDataURL("image/jpeg", 0.85);
  const words = document.querySelector("#status")?.textContent.trim() ?? "";
  const photo = document.querySelector("#photo-info")?.textContent.trim() ?? "";
  recent = recent.filter((other) => other.query !== query || other.photo !== photo);
  recent = [{ query, picture, words, photo }, ...recent].slice(0, MOST);
  draw();
};
const notice = () => {  // a picture that stays for a while, and not each on the way of a slider
  const image = [...document.querySelectorAll("#result img")].at(-1);
  if (!image || image.src === seen) return;
  seen = image.src;
  clearTimeout(settling);
  settling = setTimeout(keep, SETTLED);
};
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#remove-photo")) return;
  recent = [];
  draw();
});

// What was brushed, once it has been sent, however long that takes: Gradio's editor keeps its first
// change to itself.
let nudging = null;
const nudge = () => {
  const field = document.querySelector("#regions-nudge textarea, #regions-nudge input");
  if (!field) return;
  field.value = `${Date.now()}`;
  tell(field);
};
new PerformanceObserver((list) => {
  if (!list.getEntries().some(({ name }) => name.includes("/component_server"))) return;
  clearTimeout(nudging);
  nudging = setTimeout(nudge, 50);  // photo, layer and both come one by one
}).observe({ type: "resource" });

// A page that loses its connection loads itself anew when the server is back, as another visit.
// Then it asks for its photo and its mix; a visitor who loads it anew begins from the start.
const LOST = "arbitrary_nst.lost";
// Loading it anew in the middle of work breaks connections off, too: those are not lost.
const LEAVES = 10000;  // milliseconds from when a page is left; it may stay, as for a download
let before = null, deafUntil = 0;
window.addEventListener("beforeunload", () => { deafUntil = performance.now() + LEAVES; });
try {
  before = sessionStorage.getItem(LOST);
  sessionStorage.removeItem(LOST);
} catch { /* a browser that keeps nothing */ }
const lose = () => {
  if (performance.now() < deafUntil) return;
  const toasts = [...document.querySelectorAll(".toast-body.error")], words = "server was lost";
  if (!toasts.some(({ textContent }) => textContent.includes(words))) return;
  deafUntil = Infinity;
  const photo = document.querySelector("#photo-info [data-photo]")?.dataset.photo ?? "";
  try { sessionStorage.setItem(LOST, `${photo}?${shownMix()}`); } catch { /* likewise */ }
};
const resume = () => {
  const field = document.querySelector("#resume textarea, #resume input");
  // Once the mix that the page opens on is painted, or some seconds have passed where there is no
  // photo to paint, the page hears what is asked.
  if (before === null || !field || !(shownMix() || performance.now() > opened + 3000)) return;
  field.value = before;
  before = null;
  tell(field);
};

// Names and roles that Gradio leaves out.
const ALTS = ["the photo before", "the painted picture"];
const name = () => {
  for (const box of document.querySelectorAll(".picture")) {
    box.querySelectorAll("img").forEach((image, index) => {
      const text = ALTS[Math.min(index, 1)];
      if (image.alt !== text) image.alt = text;
    });
    const image = box.querySelector("img");
    if (image && !image.naturalWidth) image.addEventListener("load", name, { once: true });
    if (!image?.naturalWidth) continue;
    const { width, height } = box.getBoundingClientRect();
    const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
    const free = [width - scale * image.naturalWidth, height - scale * image.naturalHeight];
    box.style.setProperty("--beside", `${Math.round(free[0] / 2)}px`);
    box.style.setProperty("--below", `${Math.round(free[1] / 2)}px`);
  }
  for (const text of document.querySelectorAll("#slots .head label span")) {
    const words = `${text.textContent} ${innerWidth}`;
    if (text.dataset.measured === words || !text.clientWidth) continue;
    text.dataset.measured = words;
    text.classList.remove("long");
    text.classList.toggle("long", text.scrollWidth > text.clientWidth);
  }
  const preset = document.querySelector("#preset input");
  if (preset && !preset.placeholder) preset.placeholder = "Choose one";
  for (const group of document.querySelectorAll("fieldset.block:not([aria-label])")) {
    const words = group.querySelector(":scope > span")?.textContent.trim();
    if (words) group.setAttribute("aria-label", words);
  }
  // Its words are a better name than "Thumbnail 1 of 5" beside them.
  for (const button of document.querySelectorAll(
    "button.upload-container[aria-label], button.thumbnail-item[aria-label]",
  )) {
    if (button.textContent.trim()) button.removeAttribute("aria-label");
  }
  document.querySelectorAll("#regions-editor .swatch button:not([aria-label])")
    .forEach((button, index) => {
      const words = document.querySelector(`#brush-${index + 1} .container > span`)?.textContent;
      if (words) button.setAttribute("aria-label", words.trim());
    });
  for (const empty of document.querySelectorAll(".empty[aria-label]:not([role])")) {
    empty.setAttribute("role", "img");
  }
  for (const line of document.querySelectorAll(".quiet:not([role])")) {
    line.setAttribute("role", "status");
    line.setAttribute("aria-live", "polite");
  }
  for (const [id, words] of [["slots", "The styles of the mix"], ["regions-editor", "Brush"]]) {
    const group = document.getElementById(id);
    if (!group || group.hasAttribute("role")) continue;
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", words);
  }
};
window.addEventListener("resize", name);

// The page comes in pieces, each of which would push those below it: shown when all of the first
// tab is there. What the server has made invisible does not come.
const PIECES = ["choose", "samples", "styles", "surprise", "copy-link", "preset", "strength",
  "strokes", "keep", "fit", "full", "recent", "more", "about"];
const IN_ROWS = [".slot .remove", ".slot input[type=number]", ".controls input", "#status p",
  "#styles label", "#result img, .about.none"];
const LONGEST = 15000;  // milliseconds: better a page that moves than none
let opened = Infinity;
const open = () => {
  opened = performance.now();
  document.documentElement.classList.add("whole");
  setTimeout(resume, 3500);
};
const isWhole = () => {
  const { components } = window.gradio_config ?? {};
  if (!components || !document.getElementById("top")) return false;
  const off = new Set(components.filter(({ props }) => props?.visible === false)
    .map(({ props }) => props.elem_id));
  const named = new Set(components.map(({ props }) => props?.elem_id)).add("recent");
  return PIECES.every((id) => !named.has(id) || off.has(id) || document.getElementById(id))
    && IN_ROWS.every((selector) => document.querySelector(selector));
};
setTimeout(() => { if (opened === Infinity) open(); }, LONGEST);

let due = false, naming = false;
new MutationObserver(() => {
  if (!naming) {  // it can wait, and costs some milliseconds
    naming = true;
    setTimeout(() => { naming = false; name(); }, 100);
  }
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    if (opened === Infinity && isWhole()) open();
    notice();
    lose();
    resume();
  });
}).observe(document, {
  childList: true, subtree: true, characterData: true,
  attributes: true, attributeFilter: ["aria-label"],  // Gradio sets its own again
});
})();
"""
