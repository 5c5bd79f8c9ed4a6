// Files dropped on a page of `mason view`, or chosen there, go to the server that it came from.
(() => {
  const area = document.querySelector("[data-drop]");
  const problem = area.querySelector(".problem");
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = text === "";
  };
  const send = async (file) => {
    if (file.size > Number(area.dataset.most)) {
      say(`${file.name} is too large to be dropped (${area.dataset.bound}): start mason view with it.`);
      return;
    }
    say(`Reading ${file.name} …`);
    try {
      const address = `${area.dataset.drop}?name=${encodeURIComponent(file.name.toWellFormed?.() ?? file.name)}`;
      const answer = await fetch(address, { method: "POST", body: file });
      if (!answer.ok) throw new Error(await answer.text());
      const said = await answer.json();
      if (said.page) location.assign(said.page);
      else say(said.problem);
    } catch (error) {
      say(`${file.name} could not be sent: ${error.message}`);
    }
  };
  const over = (event, is) => {
    if (!event.dataTransfer?.types.includes("Files")) return false;
    event.preventDefault();
    document.body.classList.toggle("over", is);
    return true;
  };
  addEventListener("dragover", (event) => over(event, true));
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) over(event, false);
  });
  addEventListener("drop", (event) => {
    if (!over(event, false)) return;
    const [file, ...more] = event.dataTransfer.files;
    if (more.length) say("One file at a time, please.");
    else if (file) send(file);
  });
  const input = area.querySelector("input");
  input.addEventListener("change", () => {
    if (input.files.length) send(input.files[0]);
  });
})();
