// Ctrl+Enter (⌘+Enter) runs the query; everything else works without this file.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (!(event.target instanceof HTMLTextAreaElement) || !event.target.matches("textarea.sql")) return;
  event.preventDefault();
  event.target.form?.querySelector("[data-run]")?.click();
});
