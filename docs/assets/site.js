// What the theme leaves without a name or out of reach of a keyboard.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  const reachable = () => {
    for (const part of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    }
  };
  addEventListener("resize", reachable);
  setTimeout(reachable);
});
