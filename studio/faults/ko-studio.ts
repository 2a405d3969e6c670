import type { Row } from "./tell-fault.ts";

/** What the studio's own workers and the browser say. */
export const studio: readonly Row[] = [
  ["no file was given", "파일이 없습니다."],
  ["there is no graph to draw", "그릴 그래프가 없습니다."],
  ["that is no longer in the picture", "그 부분은 이제 그림에 없습니다."],
  ["there is no tensor {a}", "텐서 {a|이} 없습니다."],
  ["drop a CSV file with the data first", "먼저 데이터가 담긴 CSV 파일을 놓으세요."],
  ["open a model first", "먼저 모델을 여세요."],
  ["{a} is empty", "{a|은} 빈 파일입니다."],
  [
    "{a} is no .onnx model, .graph, checkpoint, .safetensors, .npz, .npy or .csv file",
    "{a|은} .onnx 모델, .graph, 체크포인트, .safetensors, .npz, .npy, .csv 가운데 어느 것도 아닙니다.",
  ],
  ["the model has no output {a}", "모델에 출력 {a|이} 없습니다."],
  ["the model has no input {a}", "모델에 입력 {a|이} 없습니다."],
  [
    "tuning on a table takes a model with one input; this one has {a}",
    "표로 조정하려면 입력이 하나인 모델이어야 합니다. 이 모델의 입력: {a!}.",
  ],
  [
    "a row of the table has {n:w} numbers beside the label, and the input {a} takes {m:w} ({s}); choose the right columns",
    "표의 행에는 레이블 말고 수가 {n}개인데 입력 {a|은} {m}개({s})를 받습니다. 열을 다시 고르세요.",
  ],
  ["the table has no label column; name one label, target or y", "표에 레이블 열이 없습니다. 열 하나의 이름을 label, target, y로 하세요."],
  [
    "the input {a} is {t:w}; a table tunes a model that takes numbers with a point",
    "입력 {a|은} {t}입니다. 표로 조정하려면 실수를 받는 모델이어야 합니다.",
  ],
  ["the model takes {n:w} rows at a time, and the table has {m:w}", "모델은 한 번에 {n}행을 받는데 표는 {m}행입니다."],
  ["the table has {n:w} classes, and the output {a} has {m:w}", "표의 클래스는 {n}개인데 출력 {a|은} {m}개입니다."],
  ["the loss became {a:w} at step {n:w}; try a smaller learning rate", "{n}단계에서 손실이 {a|이} 되었습니다. 학습률을 줄여 보세요."],
  ["the worker died, perhaps for want of memory", "워커가 멈췄습니다. 메모리가 모자랐을 수 있습니다."],
  ["ONNX Runtime could not be loaded: {a}", "ONNX Runtime을 불러오지 못했습니다(영어 원문: {a})."],
  ["the device was lost", "그래픽 장치와 연결이 끊겼습니다."],
  ["this graph has another form in f64; check its variables instead", "이 그래프는 f64에서 모양이 달라집니다. 변수를 검사하세요."],
  ["{a} is no value; write a number, a list or a formula", "{a|은} 값이 아닙니다. 숫자, 목록, 식을 쓰세요."],
  [
    "the formula has {n:w} parts and the picture takes {m:w}; shorten it",
    "식의 부분이 {n}개입니다. 그림은 {m}개까지 받습니다. 식을 줄이세요.",
  ],
  [
    "the graph holds {n:w} numbers and this page computes up to {m:w}; make the tensors smaller",
    "그래프에 숫자가 {n}개 있습니다. 이 페이지는 {m}개까지 계산합니다. 텐서를 줄이세요.",
  ],
  // Programs.
  [
    "a program in the studio may use {n:w} MiB of engine memory, all its engines together; make the batch smaller, or dispose of programs that are no longer used",
    "스튜디오의 프로그램은 모든 엔진을 더해 메모리를 {n} MiB까지 쓸 수 있습니다. 배치를 줄이거나 다 쓴 프로그램을 dispose 하세요.",
  ],
  [
    "an array of a program in the studio may have {n:w} MiB; take fewer rows at once",
    "스튜디오의 프로그램에서 배열 하나는 {n} MiB까지입니다. 한 번에 더 적은 행을 쓰세요.",
  ],
  [
    "a program in the studio may keep {n:w} GiB of arrays, all together; let go of those that are no longer used, or take fewer rows at once",
    "스튜디오의 프로그램은 배열을 모두 더해 {n} GiB까지 남겨 둘 수 있습니다. 다 쓴 배열을 놓아 주거나 한 번에 더 적은 행을 쓰세요.",
  ],
  [
    "a program in the studio may make 1,000,000 nodes; build the graph once and run it in a compiled program",
    "스튜디오의 프로그램은 노드를 1,000,000개까지 만들 수 있습니다. 그래프를 한 번만 만들고 컴파일한 프로그램으로 실행하세요.",
  ],
  [
    "the program says more than can be shown: 4,000 things at once, or 400 a second",
    "프로그램이 보여 줄 수 있는 것보다 많이 출력합니다. 한꺼번에 4,000개, 그 뒤로는 1초에 400개까지입니다.",
  ],
  [
    "the program says more than can be shown: 40,000,000 characters at once, or 4,000,000 a second",
    "프로그램이 보여 줄 수 있는 것보다 많이 출력합니다. 한꺼번에 40,000,000자, 그 뒤로는 1초에 4,000,000자까지입니다.",
  ],
  ["{a:w} cannot be imported here; there are {b}", "{a|은} 여기서 가져올 수 없습니다. 있는 것: {b}."],
  ["{a:w} has no {b:w}; there is {c}", "{a}에는 {b|이} 없습니다. 비슷한 것: {c}."],
  ["{a:w} has no {b:w}", "{a}에는 {b|이} 없습니다."],
  ["the library could not be loaded: {a}", "라이브러리를 불러오지 못했습니다(영어 원문: {a})."],
  ["{a:w} is not defined", "{a|이} 정의되지 않았습니다."],
  ["{a:w} is not a function", "{a|은} 함수가 아닙니다."],
  ["{a:w} is not iterable", "{a|은} 하나씩 꺼낼 수 있는 것이 아닙니다."],
  ["Assignment to constant variable.", "const로 만든 변수에는 다시 대입할 수 없습니다."],
  ["Cannot read properties of {a:w} (reading {b:w})", "{a}에서 속성 {b|을} 읽을 수 없습니다."],
  ["Cannot access {a:w} before initialization", "{a|을} 만들기 전에 썼습니다."],
  ["Maximum call stack size exceeded", "함수 호출이 너무 깊습니다. 끝나지 않는 재귀가 있는지 보세요."],
  ["Unexpected token, expected {a}", "{a|이} 와야 할 자리에 다른 것이 있습니다."],
  ["Unexpected token {a}", "{a|은} 여기에 올 수 없습니다."],
  ["Unexpected token", "여기에 올 수 없는 것이 있습니다."],
  ["Unterminated string constant", "문자열이 닫히지 않았습니다."],
  ["Unterminated template", "템플릿 문자열이 닫히지 않았습니다."],
  ["Unterminated comment", "주석이 닫히지 않았습니다."],
  ["Failed to fetch", "가져오지 못했습니다. 네트워크를 쓸 수 없습니다."],
  ["Out of memory", "메모리가 모자랍니다."],
  ["WebAssembly.Memory(): could not allocate memory", "메모리가 모자라 엔진이 시작되지 못했습니다."],
  ["Array buffer allocation failed", "메모리가 모자라 배열을 만들지 못했습니다."],
  ["Invalid array length", "배열의 길이가 올바르지 않습니다."],
];
