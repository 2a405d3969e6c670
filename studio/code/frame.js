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
      let words = 4000;
      let last = performance.now();
      let isHeard = false;
      const start = (address, given, before) => {
        const worker = new Worker(address);
        worker.onmessage = ({ data }) => {
          isHeard = true;
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
          if (before === 0 && !isHeard && !event.message) {
            // WebKit starts no worker of a blob whose origin is opaque where the page is isolated from other origins (COEP). One of a text it starts, but
            // lets it load no blob either, so that the program stands in the same text, after the library, which has taken from it what it takes.
            const text = `${prelude}\nprogram = async (require, exports, module) => {${program.code}\n};\n//# sourceURL=chainrule-program`;
            const lines = prelude.split("\n").length;
            start(`data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`, { ...program, code: "", before: lines }, lines);
            return;
          }
          const line = before > 0 && event.lineno > before ? event.lineno - before : null;
          port.postMessage({ kind: "fault", text: event.message || "the program's worker failed", line });
        };
        worker.postMessage(given);
      };
      start(URL.createObjectURL(new Blob([prelude], { type: "text/javascript" })), program, 0);
    },
    { once: true },
  );
