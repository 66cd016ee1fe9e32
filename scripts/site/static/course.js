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
    button.setAttribute("aria-pressed", String(!closed()));
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
