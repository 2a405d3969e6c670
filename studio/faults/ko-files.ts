import type { Row } from "./tell-fault.ts";

/** What is said of files: tables, tensors, saved graphs and ONNX models. */
export const files: readonly Row[] = [
  // Tables.
  ["csv: the file is empty", "CSV: 파일이 비어 있습니다."],
  ["csv: the file has a header and no rows", "CSV: 열 이름만 있고 행이 없습니다."],
  [
    "csv: row {r:w} mixes numbers and text; say {_a} if it holds names, {_b} if it holds data",
    "CSV: {r}번째 행에 수와 글자가 섞여 있습니다.",
  ],
  [
    "csv: row {r:w}, column {c:w}: the name {name} is there twice; names must differ",
    "CSV: {r}번째 행 {c}번째 열의 이름 {name|이} 두 번 나옵니다. 이름은 서로 달라야 합니다.",
  ],
  ["csv: there is no column {a}; there are {b}", "CSV: 열 {a|이} 없습니다. 있는 열: {b}."],
  ["csv: there is no column beside the label", "CSV: 레이블 말고 다른 열이 없습니다."],
  ["csv: row {r:w}, column {c:w} ({name}): {cell} is not a number", "CSV: {r}번째 행 {c}번째 열({name})의 {cell|은} 수가 아닙니다."],
  ["csv: row {r:w}, column {c:w}: {cell} is not a number", "CSV: {r}번째 행 {c}번째 열의 {cell|은} 수가 아닙니다."],
  [
    "csv: row {r:w}, column {c:w} ({name}) is empty; say { empty: NaN } to allow it",
    "CSV: {r}번째 행 {c}번째 열({name})이 비었습니다. 모든 칸에 수가 있어야 합니다.",
  ],
  [
    "csv: row {r:w}, column {c:w} is empty; say { empty: NaN } to allow it",
    "CSV: {r}번째 행 {c}번째 열이 비었습니다. 모든 칸에 수가 있어야 합니다.",
  ],
  [
    "csv: row {r:w}, column {c:w} ({name}) is empty; every row needs a label",
    "CSV: {r}번째 행 {c}번째 열({name})이 비었습니다. 행마다 레이블이 있어야 합니다.",
  ],
  [
    "csv: row {r:w}, column {c:w} is empty; every row needs a label",
    "CSV: {r}번째 행 {c}번째 열이 비었습니다. 행마다 레이블이 있어야 합니다.",
  ],
  [
    "csv: row {r:w} has {n:w} {_cells:w} and the first row has {m:w}: {_what}; all rows must have one length",
    "CSV: {r}번째 행의 칸은 {n}개인데 첫 행은 {m}개입니다. 모든 행의 길이가 같아야 합니다.",
  ],
  [
    "csv: row {r:w} is longer than {n:w} characters; is a quote left open, or is this no text?",
    "CSV: {r}번째 행이 {n}자를 넘습니다. 따옴표가 닫히지 않았거나 글 파일이 아닌 것 같습니다.",
  ],
  [
    "csv: row {r:w}, column {c:w} has a quote inside; put the whole cell in quotes and write the quote twice",
    "CSV: {r}번째 행 {c}번째 열 안에 따옴표가 있습니다. 칸 전체를 따옴표로 감싸고 안의 따옴표는 두 번 쓰세요.",
  ],
  [
    "csv: row {r:w}, column {c:w} goes on after its closing quote; put the whole cell in quotes",
    "CSV: {r}번째 행 {c}번째 열이 닫는 따옴표 뒤에도 이어집니다. 칸 전체를 따옴표로 감싸세요.",
  ],
  ["csv: row {r:w}, column {c:w} opens a quote that is never closed", "CSV: {r}번째 행 {c}번째 열에서 연 따옴표가 닫히지 않았습니다."],
  ["csv: the file is not UTF-8 text; save it as UTF-8", "CSV: UTF-8 글이 아닙니다. UTF-8로 저장하세요."],
  [
    "csv: the delimiter is {a}; it must be one character, no quote and no line end",
    "CSV: 구분자가 {a}입니다. 따옴표나 줄바꿈이 아닌 글자 하나여야 합니다.",
  ],
  // Tensors in files.
  [
    "safetensors: the file has {n:w} bytes; its first 8 must give the header's length",
    "safetensors: 파일이 {n}바이트뿐입니다. 처음 8바이트에 헤더의 길이가 있어야 합니다.",
  ],
  [
    "safetensors: the header would have {n:w} bytes, more than the 100 MB allowed; this is no safetensors file, or it is damaged",
    "safetensors: 헤더가 {n}바이트라고 되어 있어 한도인 100 MB를 넘습니다. safetensors 파일이 아니거나 손상되었습니다.",
  ],
  [
    "safetensors: the header should end at byte {a:w} and the file ends at {b:w}; it is cut short",
    "safetensors: 헤더가 {a}바이트까지여야 하는데 파일은 {b}바이트에서 끝납니다. 파일이 잘렸습니다.",
  ],
  ["safetensors: the header is not JSON in UTF-8 ({a})", "safetensors: 헤더가 UTF-8로 된 JSON이 아닙니다({a})."],
  ["safetensors: the header must be a JSON object of tensors by name", "safetensors: 헤더는 이름과 텐서를 적은 JSON 객체여야 합니다."],
  ["safetensors: the name {a} is in the header twice", "safetensors: 헤더에 이름 {a|이} 두 번 나옵니다."],
  ["safetensors: {a:w} must be an object of strings", "safetensors: {a|은} 문자열로 된 객체여야 합니다."],
  [
    "safetensors: {a}: must be an object with dtype, shape and data_offsets",
    "safetensors: {a|은} dtype, shape, data_offsets가 있는 객체여야 합니다.",
  ],
  ["safetensors: {a}: dtype {d}; known are {all}", "safetensors: {a}의 dtype {d|은} 모르는 것입니다. 아는 것: {all}."],
  ["safetensors: {a}: shape must be a list of whole numbers, 0 or more", "safetensors: {a}의 shape는 0 이상의 정수 목록이어야 합니다."],
  [
    "safetensors: {a}: data_offsets must be two whole numbers, 0 or more",
    "safetensors: {a}의 data_offsets는 0 이상의 정수 둘이어야 합니다.",
  ],
  ["safetensors: {a}: shape {s} is too large for any file", "safetensors: {a}의 shape {s|은} 어떤 파일에도 담을 수 없을 만큼 큽니다."],
  ["safetensors: {a}: data_offsets {s} end before they begin", "safetensors: {a}의 data_offsets {s|은} 시작보다 앞에서 끝납니다."],
  [
    "safetensors: {a}: {t} takes {n:w} bytes and data_offsets {s} hold {m:w}",
    "safetensors: {a}: {t|은} {n}바이트인데 data_offsets {s|은} {m}바이트입니다.",
  ],
  [
    "safetensors: {a}: data_offsets {s} pass the end of the data, which has {n:w} bytes; the file is cut short or damaged",
    "safetensors: {a}의 data_offsets {s|이} {n}바이트인 데이터의 끝을 넘습니다. 파일이 잘렸거나 손상되었습니다.",
  ],
  [
    "safetensors: {a} overlap: one ends at {n:w} and the other begins at {m:w}",
    "safetensors: 텐서가 겹칩니다({a!}). 하나는 {n}에서 끝나고 다른 하나는 {m}에서 시작합니다.",
  ],
  ["safetensors: {n:w} bytes before {a} belong to no tensor", "safetensors: {a} 앞의 {n}바이트가 어느 텐서에도 들지 않습니다."],
  ["safetensors: {n:w} bytes at the end belong to no tensor", "safetensors: 끝의 {n}바이트가 어느 텐서에도 들지 않습니다."],
  ["npy: the file does not begin with {a}; it is no .npy file", "npy: 파일이 {a|으로} 시작하지 않습니다. .npy 파일이 아닙니다."],
  ["npy: this is a zip file, as np.savez writes; call it .npz", "npy: np.savez가 쓴 zip 파일입니다. 확장자를 .npz로 바꾸세요."],
  [
    "npy: the file ends after {n:w} bytes, within its header; it is cut short",
    "npy: 파일이 헤더 도중 {n}바이트에서 끝납니다. 파일이 잘렸습니다.",
  ],
  ["npz: {a} is no .npy file; a .npz file holds nothing else", "npz: {a|은} .npy 파일이 아닙니다. .npz 파일에는 .npy만 들어갑니다."],
  [
    "npz: the arrays would take {n:w} bytes, more than {m:w}; pass { limit } to allow it",
    "npz: 배열이 {n}바이트라 한도 {m}바이트를 넘습니다.",
  ],
  ["zip: the file does not begin with PK; it is no zip file", "zip: 파일이 PK로 시작하지 않습니다. zip 파일이 아닙니다."],
  [
    "zip: the file has no directory at its end; it is cut short or no zip file",
    "zip: 파일 끝에 목차가 없습니다. 파일이 잘렸거나 zip 파일이 아닙니다.",
  ],
  ["zip: {a} is damaged: its checksum does not match", "zip: {a|이} 손상되었습니다. 체크섬이 맞지 않습니다."],
  ["zip: {a} is encrypted; save it without a password", "zip: {a|이} 암호화되어 있습니다. 암호 없이 저장하세요."],
  ["zip: the directory is damaged at byte {n:w}", "zip: 목차가 {n}바이트에서 손상되었습니다."],
  // Saved graphs.
  ["graph text, line {l:w}, column {c:w}: {what:s}", "그래프 파일 {l}번째 줄 {c}번째 칸: {what!}"],
  [
    "%{n:w} is used before it is defined; operands come first, cycles are no graphs",
    "%{n|이} 정의되기 전에 쓰였습니다. 피연산자가 먼저 나와야 하며 그래프에는 순환이 없습니다.",
  ],
  ["%{n:w} has {m:w} results", "%{n}의 결과는 {m}개입니다."],
  ["this is %{n:w}, and %{m:w} comes next", "%{n|이} 있는데 다음은 %{m|이}어야 합니다."],
  ["{a:w} is no dtype; dtypes are {all}", "{a|은} 자료형이 아닙니다. 자료형: {all}."],
  ["{a:w} is no known op; ops from outside are passed to parse in {_b}", "{a|은} 모르는 연산입니다."],
  ["tensor @{a:w} is not beside the text", "텐서 @{a|이} 없습니다. 그래프와 함께 저장한 .safetensors 파일을 같이 여세요."],
  ["tensor @{a:w} is {t}, the text says {u}", "텐서 @{a|은} {t}인데 그래프에는 {u|으로} 되어 있습니다."],
  ["constants are numbers", "상수는 수여야 합니다."],
  ["{t:t} wants {n:w} numbers", "{t}에는 수가 {n}개 필요합니다."],
  ["{t:w} cannot hold {x:w}", "{t|은} {x|을} 담을 수 없습니다."],
  ["{f:w} gives {a}, the text says {b}", "{f|은} {a|을} 내는데 그래프에는 {b|으로} 되어 있습니다."],
  ["{f:w} has {n:w} operands; it takes {a}", "{f}의 피연산자가 {n}개입니다. 받는 것은 {a}입니다."],
  ["operand {i:w} is not optional", "{i}번 피연산자는 뺄 수 없습니다."],
  ["this quoted text has a bad escape", "따옴표 안의 이스케이프가 잘못되었습니다."],
  ["data nested deeper than {n:w}", "데이터가 {n}겹보다 깊이 중첩되었습니다."],
  ["the name {a:w} stands twice", "이름 {a|이} 두 번 나옵니다."],
  // ONNX models.
  ["onnx: the file is empty", "ONNX: 파일이 비어 있습니다."],
  [
    "onnx: the file has {n:w} bytes; a model file has less than 2 GiB, and larger models keep their weights in external data beside it",
    "ONNX: 파일이 {n}바이트입니다. 모델 파일은 2 GiB보다 작아야 하며, 더 큰 모델은 가중치를 따로 둔 외부 데이터 파일을 씁니다.",
  ],
  [
    "onnx: this is no ONNX model: it has no graph or no version; is it a PyTorch checkpoint, or a page that says the file is missing?",
    "ONNX: ONNX 모델이 아닙니다. 그래프나 버전이 없습니다. PyTorch 체크포인트이거나, 파일이 없다고 알리는 웹 페이지는 아닌가요?",
  ],
  [
    "onnx: the file is damaged or cut short: in {where}, at byte {n:w}, {what:s}",
    "ONNX: 파일이 손상되었거나 잘렸습니다({where}, {n}바이트): {what!}",
  ],
  ["onnx: the file is damaged or cut short: at byte {n:w}, {what:s}", "ONNX: 파일이 손상되었거나 잘렸습니다({n}바이트): {what!}"],
  ["onnx: a name in {where} is not UTF-8", "ONNX: {where}의 이름이 UTF-8이 아닙니다."],
  [
    "onnx: the data of {a} is in the file {file}; hand it over: {_code:s}",
    "ONNX: {a}의 데이터는 {file} 파일에 있습니다. 모델과 그 파일을 함께 여세요.",
  ],
  ["onnx: the data of {a} is in another file, and its name is missing", "ONNX: {a}의 데이터가 다른 파일에 있는데 그 이름이 없습니다."],
  [
    "onnx: the external data of {a} is at {b}; a model may only name files inside its own folder",
    "ONNX: {a}의 외부 데이터가 {b}에 있다고 되어 있습니다. 모델은 자기 폴더 안의 파일만 가리킬 수 있습니다.",
  ],
  [
    "onnx: {a} is at bytes {b}, which has {n:w}; the file is cut short, or another one",
    "ONNX: {a}의 자리가 {b}인데 파일은 {n}바이트입니다. 파일이 잘렸거나 다른 파일입니다.",
  ],
  [
    "onnx: {node}: there is no operator {op:w} here; {_advice:s}",
    "ONNX: {node}: 연산자 {op|을} 지원하지 않습니다. 이 부분을 빼거나 ai.onnx 표준 연산자로 다시 내보내세요.",
  ],
  [
    "onnx: initialiser {a} is sparse; re-export the model with dense weights",
    "ONNX: 가중치 {a|이} 희소 텐서입니다. 밀집 가중치로 다시 내보내세요.",
  ],
  ["onnx: two initialisers have one name: {a}", "ONNX: 두 가중치의 이름이 같습니다: {a}."],
  ["onnx: two inputs have one name: {a}", "ONNX: 두 입력의 이름이 같습니다: {a}."],
  ["onnx: there is no output {a}; the model has {b}", "ONNX: 출력 {a|이} 없습니다. 모델의 출력: {b}."],
  ["onnx: there is no input {a}; the model has {b}", "ONNX: 입력 {a|이} 없습니다. 모델의 입력: {b}."],
  [
    "onnx: the model is written in operator set {a:w}; up to {b:w} is known: export it with opset_version={c:w} or lower",
    "ONNX: 모델의 연산자 집합은 {a}번인데 {b}번까지 읽을 수 있습니다. opset_version={c} 이하로 다시 내보내세요.",
  ],
  [
    "onnx: the file does not say how many axes the input {a} has; export the model with shapes, or apply it to data",
    "ONNX: 입력 {a}의 축이 몇 개인지 파일에 없습니다. 모양을 넣어 모델을 내보내세요.",
  ],
  [
    "onnx: {a} has element type {b}; supported are {_c:s}",
    "ONNX: {a}의 원소 타입 {b|은} 지원하지 않습니다. 양자화하지 않은 실수나 정수로 내보내세요.",
  ],
  ["onnx: {a} claims {n:w} elements; at most {m:w} are read", "ONNX: {a}의 원소가 {n}개라고 되어 있습니다. {m}개까지 읽습니다."],
  [
    "onnx: {a} depends on the data of an input, and a graph has static shapes; {_b:s}",
    "ONNX: {a|이} 입력의 데이터에 따라 달라지는데, 그래프의 모양은 미리 정해져 있어야 합니다.",
  ],
  [
    "onnx: {a} depends on its own result {b}; a graph has no circles",
    "ONNX: {a|이} 자기 결과 {b}에 의존합니다. 그래프에는 순환이 없습니다.",
  ],
  [
    "onnx: {a} reads {b}, which is neither an input, a weight nor the result of a node",
    "ONNX: {a|이} 읽는 {b|은} 입력도 가중치도 노드의 결과도 아닙니다.",
  ],
  [
    "onnx: {a} writes {b}, which is written elsewhere too; a name has one meaning in a graph",
    "ONNX: {a|이} 쓰는 {b|을} 다른 곳에서도 씁니다. 그래프에서 이름의 뜻은 하나입니다.",
  ],
  ["onnx: {a}: graphs are nested deeper than {n:w}", "ONNX: {a}: 그래프가 {n}겹보다 깊이 중첩되었습니다."],
  [
    "onnx: the model unfolds to more than {n:w} nodes; its functions or loops are too large",
    "ONNX: 모델을 펼치면 노드가 {n}개를 넘습니다. 함수나 반복이 너무 큽니다.",
  ],
  ["a number has no end", "수가 끝나지 않습니다."],
  ["a number is longer than 64 bits", "수가 64비트보다 깁니다."],
  ["a length is beyond the file", "길이가 파일을 벗어납니다."],
  ["{n:w} bytes are announced and {m:w} are left", "{n}바이트라고 되어 있는데 {m}바이트만 남았습니다."],
  ["{n:w} bytes are wanted and {m:w} are left", "{n}바이트가 필요한데 {m}바이트만 남았습니다."],
  ["messages are nested deeper than {n:w}", "메시지가 {n}겹보다 깊이 중첩되었습니다."],
  ["wire type {n:w} is none that ONNX uses", "wire type {n|은} ONNX가 쓰지 않는 것입니다."],
  ["a field has number 0", "필드 번호가 0입니다."],
  ["{a} has wire type {n:w}, not {m:w}", "{a}의 wire type이 {m|이} 아니라 {n}입니다."],
  ["{a:w} stands twice", "{a|이} 두 번 나옵니다."],
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
