"use strict";
// Shows what has all the words that are searched for, and opens what a link leads to. Without it everything is shown.
const form = document.querySelector("form");
const box = document.querySelector("#find");
const entries = new Map([...document.querySelectorAll("nav [data-of]")].map((entry) => [entry.dataset.of, entry]));

function show() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const section of document.querySelectorAll("main section")) {
    const name = section.querySelector("h2").textContent.toLowerCase();
    let here = 0;
    for (const each of section.querySelectorAll("[data-find]")) {
      const isWanted = words.every((word) => name.includes(word) || each.dataset.find.includes(word));
      each.hidden = !isWanted;
      here += isWanted;
      const entry = entries.get(each.id);
      if (entry) entry.hidden = !isWanted;
    }
    section.hidden = here === 0;
    found += here;
  }
  for (const noun of document.querySelectorAll("nav details")) {
    const isEmpty = !noun.querySelector("li:not([hidden])");
    noun.hidden = isEmpty;
    noun.open = words.length > 0 && !isEmpty;
  }
  document.querySelector("#none").hidden = found > 0;
}

function open() {
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!wanted) return;
  if (wanted.closest("[hidden]")) {
    box.value = "";
    show();
  }
  if (wanted.tagName === "DETAILS") wanted.open = true;
  const noun = entries.get(wanted.id)?.closest("details");
  if (noun) noun.open = true;
  wanted.scrollIntoView();
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
box.addEventListener("input", show);
addEventListener("hashchange", open);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
  } else if (event.key === "Escape" && document.activeElement === box) {
    box.value = "";
    show();
  }
});
open();
