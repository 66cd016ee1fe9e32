"use strict";

// One button under the title of a page opens every fold on it, and closes them again.
document.addEventListener("DOMContentLoaded", () => {
  const folds = [...document.querySelectorAll(".bd-article details")];
  const title = document.querySelector(".bd-article h1");
  if (!title || folds.length < 2) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "course-folds";
  const closed = () => folds.filter((fold) => !fold.open).length;
  const say = () => {
    button.textContent = closed() ? `Open all ${folds.length} folds` : `Close all ${folds.length} folds`;
  };
  button.addEventListener("click", () => {
    const open = closed() > 0;
    for (const fold of folds) fold.open = open;
    say();
  });
  for (const fold of folds) fold.addEventListener("toggle", say);
  say();
  const badge = title.nextElementSibling;
  (badge && badge.querySelector("img") ? badge : title).after(button);
});

// Several words are searched as words; pages where they stand together, in that order, come first.
document.addEventListener("DOMContentLoaded", () => {
  const results = document.getElementById("search-results");
  const words = (new URLSearchParams(location.search).get("q") || "").match(/[\p{L}\p{N}_]+/gu) || [];
  if (!results || words.length < 2) return;
  const phrase = new RegExp(words.join("[^\\p{L}\\p{N}]{1,3}"), "giu");
  const together = async (item) => {
    const page = await fetch(item.querySelector("a").href).then((answer) => answer.text());
    const text = new DOMParser().parseFromString(page, "text/html").querySelector(".bd-article");
    return text ? (text.textContent.match(phrase) || []).length : 0;
  };
  const watcher = new MutationObserver(async () => {
    const list = results.querySelector("ul.search");
    if (!list || !/found/.test(results.querySelector(".search-summary")?.textContent || "")) return;
    watcher.disconnect();
    const items = [...list.children];
    const counts = await Promise.all(items.map(together));
    const order = items.map((item, place) => [counts[place], -place, item]);
    order.sort((one, other) => other[0] - one[0] || other[1] - one[1]);
    list.append(...order.map((entry) => entry[2]));
    list.dataset.sorted = "together";
  });
  watcher.observe(results, { childList: true, subtree: true, characterData: true });
});
