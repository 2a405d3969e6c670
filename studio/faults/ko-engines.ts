import type { Row } from "./tell-fault.ts";

/** What programs and engines say. */
export const engines: readonly Row[] = [
  [
    "the second argument is the engine: jit(f, reference()), or jit(f, wasm()) with wasm of chainrule/wasm",
    "둘째 인수는 엔진입니다. jit(f, reference())로 쓰거나, chainrule/wasm의 wasm으로 jit(f, wasm())처럼 쓰세요.",
  ],
  ["there is no {a:w}; the state has {b:p}", "{a|이} 없습니다. 상태에 있는 것: {b}."],
  [
    "there is no memory of {a:w} here; it is there for states of engines that answer at once",
    "여기에는 {a}의 메모리가 없습니다. 바로 답하는 엔진의 상태에만 있습니다.",
  ],
  ["{x:p} has {a:p}, the graph wants {b:p}", "{x}에 있는 것은 {a}인데 그래프에 필요한 것은 {b}입니다."],
  ["{x:p} is {a:p}, the graph wants {b:p}", "{x|은} {a}인데 그래프에 필요한 것은 {b}입니다."],
  ["data is a number, nested lists, a typed array or a Tensor", "데이터는 수, 중첩 목록, 형식화 배열, Tensor입니다."],
  [
    "the state lives in another engine {a:w} and the program is for {b:w}; make the engine once and compile both for it",
    "상태는 다른 {a} 엔진에 있는데 프로그램은 {b|을} 위한 것입니다. 엔진을 한 번만 만들어 둘 다 그 엔진으로 컴파일하세요.",
  ],
  [
    "the state lives in engine {a:w} and the program is for {b:w}; read it there and pass the tensors",
    "상태는 {a} 엔진에 있는데 프로그램은 {b|을} 위한 것입니다. 거기서 상태를 읽어 텐서를 넘기세요.",
  ],
  [
    "state is a record of trees of tensors, by the names of the graph's inputs",
    "state는 그래프의 입력 이름마다 텐서의 트리를 적은 레코드여야 합니다.",
  ],
  [
    "state has {a:w}, and the graph has no input of that name; it has {b:p}",
    "state에 {a|이} 있는데 그래프에 그런 이름의 입력이 없습니다. 있는 것: {b}.",
  ],
  [
    "{x:p} is {t:t} and the state has {u:p}; new state has the type of the old",
    "{x|은} {t}인데 상태에는 {u|이} 있습니다. 새 상태의 타입은 이전과 같아야 합니다.",
  ],
  [
    "{x:p} is {t:t} and the state has no such leaf; new state has the type of the old",
    "{x|은} {t}인데 상태에는 그런 잎이 없습니다. 새 상태의 타입은 이전과 같아야 합니다.",
  ],
  ["{x:p} is not there, the graph wants {b:p}", "{x|이} 없는데 그래프에 필요한 것은 {b}입니다."],
  ["guard names {a:w}; the outputs are {b:p}", "guard에 {a|이} 있는데 출력은 {b}입니다."],
  [
    "{x:w} is {bad:w} at run {n:w}; the state is unchanged. Replay: {g}",
    "{n}번째 실행에서 {x|이} {bad|이} 되었습니다. 상태는 그대로입니다. 다시 해 보려면: {g}",
  ],
  ["the program was disposed", "프로그램을 이미 dispose 했습니다."],
  [
    "the {a:w} engine has no steps to time; compile the graph for wasm() without a worker",
    "{a} 엔진에는 시간을 잴 단계가 없습니다. 그래프를 워커 없는 wasm()으로 컴파일하세요.",
  ],
  [
    "the graph uses input {a:w}, which is not among its own inputs; it belongs to another graph or transform",
    "그래프가 자기 입력이 아닌 {a|을} 씁니다. 다른 그래프나 변환의 입력입니다.",
  ],
  [
    "this program is running; a kernel that it calls cannot run it again: compile it once more",
    "이 프로그램은 실행 중이라 그 안에서 부른 커널이 다시 실행할 수 없습니다. 한 번 더 컴파일하세요.",
  ],
  // WebAssembly.
  [
    "the engine's worker died ({why}), and the states that were in it are gone; the next run starts a new worker: state.write puts a state into it, from a checkpoint or what state.read gave",
    "엔진의 워커가 멈춰({why!}) 그 안의 상태가 사라졌습니다. 다음 실행이 새 워커를 시작하니, 체크포인트나 state.read로 읽어 둔 상태를 state.write로 넣으세요.",
  ],
  [
    "a {t} of the state was in a worker that died; put the state into the new one with state.write, from a checkpoint or what state.read gave",
    "상태의 {t|이} 멈춘 워커에 있었습니다. 체크포인트나 state.read로 읽어 둔 상태를 state.write로 새 워커에 넣으세요.",
  ],
  [
    "{f:w} is an op of your own, whose kernel is JavaScript that a worker does not have; give the op `lower`, or run it on wasm() without a worker",
    "{f|은} 직접 만든 연산이라 그 JavaScript 커널이 워커에 없습니다. 연산에 `lower`를 주거나 워커 없는 wasm()으로 실행하세요.",
  ],
  [
    "a thread failed at its part of a step; run it again on one thread",
    "스레드 하나가 맡은 부분에서 실패했습니다. 스레드 하나로 다시 실행하세요.",
  ],
  [
    "a thread did not finish its part of a step in a minute and is given up; the engine goes on with one thread",
    "스레드 하나가 맡은 부분을 1분 안에 끝내지 못해 그만두었습니다. 엔진은 스레드 하나로 계속합니다.",
  ],
  ["it is a whole number from {a:w} to {b:w}", "{a}부터 {b}까지의 정수여야 합니다."],
  // ONNX Runtime.
  ["it is a number of operations, 0 or more", "0 이상의 연산 횟수여야 합니다."],
  [
    "element {i:w} of a tensor {t} is {x:w}; where f64 is computed in f32, 64-bit integers go in as 32-bit ones",
    "텐서 {t}의 원소 {i|이} {x}입니다. f64를 f32로 계산하는 곳에서는 64비트 정수가 32비트로 들어갑니다.",
  ],
  [
    "onnxruntime: {x:p} is {t}, and WebGPU has no f64; cast it to f32, or let all of the graph be computed in f32: {g}",
    "onnxruntime: {x|이} {t}인데 WebGPU에는 f64가 없습니다. f32로 cast 하거나 그래프 전체를 f32로 계산하세요: {g}",
  ],
  [
    "onnxruntime: {x}, and WebGPU has no f64; cast it to f32, or let all of the graph be computed in f32: {g}",
    "onnxruntime: {x|이} f64인데 WebGPU에는 f64가 없습니다. f32로 cast 하거나 그래프 전체를 f32로 계산하세요: {g}",
  ],
  [
    "{x} is drawn in f64, and f64 is computed in f32 here, which would draw infinity now and then; draw it outside and hand it over",
    "{x|은} f64로 뽑는데 여기서는 f64를 f32로 계산하므로 가끔 무한대가 나옵니다. 밖에서 뽑아 넘기세요.",
  ],
  [
    "onnxruntime: {x} failed: ONNX Runtime has no kernel of {op:w} for it; {advice:s}",
    "ONNX Runtime이 {x!|을} 실행하지 못했습니다. 여기에 쓸 {op} 커널이 없습니다. {advice!}",
  ],
  [
    "onnxruntime: {x} was refused: ONNX Runtime has no kernel of {op:w} for it; {advice:s}",
    "ONNX Runtime이 {x!|을} 받지 않았습니다. 여기에 쓸 {op} 커널이 없습니다. {advice!}",
  ],
  [
    "compute it in another dtype (cast to f32 and back), or run the graph on wasm()",
    "다른 자료형으로(f32로 cast 했다가 되돌려) 계산하거나 그래프를 wasm()으로 실행하세요.",
  ],
  ["onnxruntime({g}) computes all f64 in f32", "onnxruntime({g})는 모든 f64를 f32로 계산합니다."],
  ["onnxruntime: the graph failed: {what:s}", "ONNX Runtime이 그래프를 실행하지 못했습니다(영어 원문: {what})."],
  ["onnxruntime: {x:s} failed: {what:s}", "ONNX Runtime이 {x|을} 실행하지 못했습니다(영어 원문: {what})."],
  ["onnxruntime: the graph was refused: {what:s}", "ONNX Runtime이 그래프를 받지 않았습니다(영어 원문: {what})."],
  ["onnxruntime: {x:s} was refused: {what:s}", "ONNX Runtime이 {x|을} 받지 않았습니다(영어 원문: {what})."],
  [
    "the first argument is the module itself: import * as ort from {a} (in a page {b}), then onnxruntime(ort)",
    "첫째 인수는 모듈 자체여야 합니다. {a|을}(페이지에서는 {b|을}) ort로 가져온 뒤 onnxruntime(ort)를 부르세요.",
  ],
  // Engines.
  [
    "wasm: {a} needs {n:w} bytes, and the engine's memory is {m:w} bytes of at most {k:w}; make the batch smaller, or dispose of programs that are no longer used",
    "{a!}에 {n}바이트가 필요한데 엔진 메모리는 {m}바이트이고 한도는 {k}바이트입니다. 배치를 줄이세요.",
  ],
  [
    "wasm: this host does not compile WebAssembly with SIMD, which {_a} were the first to do; use reference() here, or a newer host",
    "이 브라우저는 SIMD가 있는 WebAssembly를 컴파일하지 못합니다. 더 새로운 브라우저를 쓰세요.",
  ],
];

/** Parts of such sentences. */
export const enginePhrases: readonly Row[] = [["the graph", "그래프"]];
