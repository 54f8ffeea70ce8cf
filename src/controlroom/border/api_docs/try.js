"use strict";
// Asks an operation from its description: what goes into the address and the body, sent with the credential that is typed
// at the top. That stays in this page's memory; no cookie goes along. Without it the page is a description.
const credential = document.querySelector("#credential");
credential.hidden = false;

function field(name, where, value = "") {
  const label = document.createElement("label");
  const input = document.createElement(where === "body" ? "textarea" : "input");
  Object.assign(input, { value, autocomplete: "off", spellcheck: false });
  Object.assign(input.dataset, { name, where });
  label.append(`${name} `, input);
  return label;
}

function fieldsOf(article) {
  const known = [...article.querySelectorAll("tr[data-in]")].map((row) => [row.dataset.name, row.dataset.in]);
  const inPath = [...article.dataset.path.matchAll(/\{(\w+)\}/g)].map((found) => [found[1], "path"]);
  const all = [...inPath, ...known.filter(([name, where]) => where !== "path" && where !== "cookie")];
  const fields = all.map(([name, where]) => field(name, where, where === "path" ? kept.get(name) || "" : ""));
  if (article.dataset.body) fields.push(field("body", "body", article.dataset.body === "json" ? "{}" : ""));
  return fields;
}

// What was typed for a path is there for the next one: the workspace is the same everywhere.
const kept = new Map();

function requestOf(article, form) {
  const query = new URLSearchParams();
  const headers = new Headers({ Accept: "application/json" });
  let path = article.dataset.path, body;
  for (const { value, dataset } of form.querySelectorAll("[data-where]")) {
    if (dataset.where === "path") {
      if (!value) throw new Error(`${dataset.name} is missing`);
      kept.set(dataset.name, value);
      path = path.replace(`{${dataset.name}}`, encodeURIComponent(value));
    } else if (!value) continue;
    else if (dataset.where === "query") query.append(dataset.name, value);
    else if (dataset.where === "header") headers.set(dataset.name, value);
    else body = value;
  }
  const [header, secret] = credential.querySelectorAll("input");
  if (secret.value) headers.set(header.value || "Authorization", secret.value);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const asked = query.size ? `${path}?${query}` : path;
  return [asked, { method: article.dataset.method.toUpperCase(), headers, body, credentials: "omit", redirect: "manual" }];
}

function shown(text, type) {
  if (!type.includes("json")) return text;
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

async function send(article, form, told) {
  const began = performance.now();
  try {
    const [address, asked] = requestOf(article, form);
    const answer = await fetch(address, asked);
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    const size = `${text.length.toLocaleString("en")} characters`;
    told.textContent = `${asked.method} ${address}\n${answer.status} ${answer.statusText} in ${took} ms, ${size}\n\n`
      + shown(text.slice(0, 200000), answer.headers.get("content-type") || "");
  } catch (wrong) {
    told.textContent = String(wrong.message || wrong);
  }
}

function begin(article, button) {
  const form = document.createElement("form");
  form.className = "try";
  const told = document.createElement("pre");
  told.tabIndex = 0;
  told.setAttribute("role", "status");
  const sends = document.createElement("button");
  sends.textContent = article.dataset.method === "get" ? "Send" : `Send ${article.dataset.method.toUpperCase()}: it is done`;
  form.append(...fieldsOf(article), sends);
  form.addEventListener("submit", (event) => { event.preventDefault(); send(article, form, told); });
  button.replaceWith(form);
  form.after(told);
  (form.querySelector("input, textarea") || sends).focus();
}

for (const article of document.querySelectorAll("article[data-method]")) {
  const button = document.createElement("button");
  button.textContent = "Try it";
  button.setAttribute("aria-label", `Try ${article.id}`);
  button.addEventListener("click", () => begin(article, button));
  article.append(button);
}
