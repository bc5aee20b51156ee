/** The last script of each page: from here on, somebody hears what is pressed. */
for (const each of document.querySelectorAll("[data-waits]")) {
  each.disabled = false;
  each.removeAttribute("data-waits");
}
