// The script of the frame between the page and a program: it starts the program's worker and passes words on. The frame has an opaque origin and a
// policy that allows no network; the build puts this text and its hash into the frame's file. Where the frame has the page's origin, which is so where a
// service worker of another version hands it out without its policy, it takes no program.
if (origin === "null")
  addEventListener(
    "message",
    ({ data: { prelude, program }, ports: [port] }) => {
      // Whether this frame is still there, whatever its worker does, is asked now and then.
      port.onmessage = () => port.postMessage({ kind: "here" });
      port.postMessage({ kind: "here" });
      const worker = new Worker(URL.createObjectURL(new Blob([prelude], { type: "text/javascript" })));
      let words = 4000;
      let last = performance.now();
      worker.onmessage = ({ data }) => {
        // What floods the page is ended here, where the flood arrives: 4,000 words at once, 400 a second after that.
        const now = performance.now();
        words = Math.min(4000, words + (now - last) * 0.4) - 1;
        last = now;
        if (words < 0) {
          worker.terminate();
          port.postMessage({ kind: "flood" });
        } else port.postMessage(data);
      };
      worker.onerror = (event) => {
        port.postMessage({ kind: "fault", text: event.message || "the program's worker failed", line: null });
      };
      worker.postMessage(program);
    },
    { once: true },
  );
