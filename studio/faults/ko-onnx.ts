import type { Row } from "./tell-fault.ts";

/** What is said of ONNX models and their files; of single nodes see `ko-onnx-nodes.ts`. */
export const onnx: readonly Row[] = [
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
    "ONNX: {a!}의 데이터는 {file} 파일에 있습니다. 모델과 그 파일을 함께 여세요.",
  ],
  ["onnx: the data of {a} is in another file, and its name is missing", "ONNX: {a!}의 데이터가 다른 파일에 있는데 그 이름이 없습니다."],
  [
    "onnx: the external data of {a} is at {b}; a model may only name files inside its own folder",
    "ONNX: {a!}의 외부 데이터가 {b}에 있다고 되어 있습니다. 모델은 자기 폴더 안의 파일만 가리킬 수 있습니다.",
  ],
  [
    "{a:p} is at bytes {b:w} to {c:w} of {file}, which has {n:w}; the file is cut short, or another one",
    "{a}의 자리가 {file}의 {b}~{c}바이트인데 파일은 {n}바이트입니다. 파일이 잘렸거나 다른 파일입니다.",
  ],
  [
    "onnx: initialiser {a} is sparse; re-export the model with dense weights",
    "ONNX: 가중치 {a!|이} 희소 텐서입니다. 밀집 가중치로 다시 내보내세요.",
  ],
  ["onnx: two initialisers have one name: {a}", "ONNX: 두 가중치의 이름이 같습니다: {a}."],
  ["onnx: two inputs have one name: {a}", "ONNX: 두 입력의 이름이 같습니다: {a}."],
  ["onnx: there is no output {a}; the model has {b}", "ONNX: 출력 {a!|이} 없습니다. 모델의 출력: {b}."],
  ["onnx: there is no input {a}; the model has {b}", "ONNX: 입력 {a!|이} 없습니다. 모델의 입력: {b}."],
  ["onnx: this is no ONNX model but {what:s}", "ONNX: ONNX 모델이 아닙니다. {what!}"],
  [
    "a pointer of Git LFS, which stands for the model in a clone: git lfs pull fetches it, and so does a download of the file itself",
    "복제본에서 모델을 대신하는 Git LFS 포인터입니다. git lfs pull로 받거나 파일 자체를 내려받으세요.",
  ],
  [
    "a page, as a server sends where there is no such file; look at the address",
    "서버가 파일이 없을 때 보내는 것과 같은 웹 페이지입니다. 주소를 확인하세요.",
  ],
  [
    "a zip archive, as checkpoints of PyTorch are; unpack it, or write the model by torch.onnx.export",
    "PyTorch 체크포인트 같은 zip 파일입니다. 압축을 풀거나 torch.onnx.export로 모델을 내보내세요.",
  ],
  ["packed by gzip; unpack it", "gzip으로 압축한 파일입니다. 압축을 푸세요."],
  [
    "onnx: the model is written in operator set {a:w}; up to {b:w} is known: export it with opset_version={c:w} or lower",
    "ONNX: 모델의 연산자 집합은 {a}번인데 {b}번까지 읽을 수 있습니다. opset_version={c} 이하로 다시 내보내세요.",
  ],
  [
    "onnx: the file does not say how many axes the input {a} has; export the model with shapes, or apply it to data",
    "ONNX: 입력 {a!}의 축이 몇 개인지 파일에 없습니다. 모양을 넣어 모델을 내보내세요.",
  ],
  ["onnx: {a} claims {n:w} elements; at most {m:w} are read", "ONNX: {a!}의 원소가 {n}개라고 되어 있습니다. {m}개까지 읽습니다."],
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
  ["{a:w} stands twice", "{a!|이} 두 번 나옵니다."],
  ["onnx: {a} answered {b:w}", "ONNX: {a|이} {b|으로} 답했습니다."],
  ["the file was written anew since it was opened; read it again", "연 뒤에 파일이 새로 쓰였습니다. 다시 읽으세요."],
  [
    "the numbers of {a:p} were left in the file; an outline has shapes alone, onnx.read reads the numbers",
    "{a}의 수를 파일에 남겨 두었습니다. 개요에는 모양만 있습니다. 수는 onnx.read가 읽습니다.",
  ],
  [
    "{a:p} is stored in segments, which no exporter writes; save the model anew",
    "{a|이} 조각으로 나뉘어 있습니다. 어떤 내보내기 도구도 이렇게 쓰지 않으니 모델을 다시 저장하세요.",
  ],
  ["{a:p} is {t:t}, which has {n:w} elements, and lists {m:w}", "{a|은} {t|이라} 원소가 {n}개인데 {m}개가 적혀 있습니다."],
  ["{a:p} is {t:t}, which takes {n:w} bytes, and has {m:w}", "{a|은} {t|이라} {n}바이트인데 {m}바이트가 있습니다."],
  ["{a:p} has a size of {n:w} in {s:w}", "{a}의 모양 {s}에 크기 {n|이} 있습니다."],
  [
    "{a:p} has element type {n:w}, which no version of ONNX has; supported are {_c:s}",
    "{a}의 원소 타입 {n|은} ONNX의 어느 버전에도 없습니다. 양자화하지 않은 실수나 정수로 내보내세요.",
  ],
  [
    "{a:p} has element type {b:w}; supported are {_c:s}",
    "{a}의 원소 타입 {b|은} 지원하지 않습니다. 양자화하지 않은 실수나 정수로 내보내세요.",
  ],
  [
    "{a:p}: the 64-bit integer {n:w} is beyond 2^53, up to which integers are exact here; export smaller numbers",
    "{a}: 64비트 정수 {n|이} 여기서 정확한 한도인 2^53을 넘습니다. 더 작은 수로 내보내세요.",
  ],
  ["a number is cut short", "수가 중간에 잘렸습니다."],
  [
    "the external data of {a:p} has {k:w} {x}; it is a whole number of bytes",
    "{a}의 외부 데이터의 {k|이} {x}입니다. 정수 바이트여야 합니다.",
  ],
  [
    "the external data of {a:p} is at {b}, a link that leads out of the model's folder",
    "{a}의 외부 데이터가 {b}에 있는데 모델 폴더 밖을 가리키는 링크입니다.",
  ],
  [
    "the data of {a:p} is in {b}, and there is no such file beside the model; keep the two together",
    "{a}의 데이터는 {b}에 있는데 모델 옆에 그 파일이 없습니다. 둘을 함께 두세요.",
  ],
  // Models, their inputs and weights.
  [
    "{a:w} is a sequence; inputs and outputs are dense tensors: re-export the model with tensors alone",
    "{a|은} 시퀀스입니다. 입력과 출력은 밀집 텐서여야 하니 텐서만 쓰도록 모델을 다시 내보내세요.",
  ],
  [
    "{a:w} is a map; inputs and outputs are dense tensors: re-export the model with tensors alone",
    "{a|은} 맵입니다. 입력과 출력은 밀집 텐서여야 하니 텐서만 쓰도록 모델을 다시 내보내세요.",
  ],
  [
    "{a:w} is optional; inputs and outputs are dense tensors: re-export the model with tensors alone",
    "{a|은} 없을 수도 있는 값입니다. 입력과 출력은 밀집 텐서여야 하니 텐서만 쓰도록 모델을 다시 내보내세요.",
  ],
  [
    "{a:w} is sparse; inputs and outputs are dense tensors: re-export the model with tensors alone",
    "{a|은} 희소 텐서입니다. 입력과 출력은 밀집 텐서여야 하니 텐서만 쓰도록 모델을 다시 내보내세요.",
  ],
  [
    "{a:w} is of no type; inputs and outputs are dense tensors: re-export the model with tensors alone",
    "{a}에 타입이 없습니다. 입력과 출력은 밀집 텐서여야 하니 텐서만 쓰도록 모델을 다시 내보내세요.",
  ],
  ["the outputs need {a:p} too; inputs names {b:p}", "출력에는 {a|이} 더 필요합니다. inputs에 있는 것: {b}."],
  [
    "dims has {a:w}, and the inputs have no size of that name; they have {b:p}",
    "dims에 {a|이} 있는데 입력에 그런 이름의 크기가 없습니다. 있는 것: {b}.",
  ],
  ["dims.{a:w} is {n:w}; a size is a whole number, 0 or more", "dims.{a|이} {n}입니다. 크기는 0 이상의 정수여야 합니다."],
  [
    "weight {a:w} is tied to {b:w}, which stands for both; give that one, or read the model with { tie: false }",
    "가중치 {a|은} {b|과} 하나로 묶여 있습니다. 묶인 가중치를 주거나, 모델을 { tie: false }로 읽으세요.",
  ],
  ["it is true, false, or a list of patterns: {g}", "true나 false, 또는 패턴의 목록이어야 합니다: {g}"],
  [
    "tie: {a:p} names no weight that the file has twice; it has none",
    "tie: {a|은} 파일에 두 번 나오는 가중치의 이름이 아닙니다. 그런 가중치가 없습니다.",
  ],
  [
    "tie: {a:p} names no weight that the file has twice; it has {b:p}",
    "tie: {a|은} 파일에 두 번 나오는 가중치의 이름이 아닙니다. 두 번 나오는 것: {b}.",
  ],
  ["there is no weight {a:w}; the model has {b:p}", "가중치 {a|이} 없습니다. 모델의 가중치: {b}."],
  ["give all of model.params, changed or not", "바꾸지 않은 것까지 model.params를 모두 주세요."],
  [
    "{x:p} is {t:t}, and a typed array of {n:w} elements was given; give a Tensor with its shape",
    "{x|은} {t}인데 원소 {n}개인 형식화 배열을 주었습니다. 모양이 있는 Tensor를 주세요.",
  ],
  ["{x:p} is {t:t} with {s}; {u:t} was given", "{x|은} {t}({s})인데 {u|을} 주었습니다."],
  ["output {a:w} has no value", "출력 {a}에 값이 없습니다."],
  [
    "output {a:w} is a sequence; read a tensor of it: {g} names values inside too",
    "출력 {a|이} 시퀀스입니다. 그 안의 텐서를 읽으세요. {g}에 안쪽 값의 이름도 쓸 수 있습니다.",
  ],
  [
    "what is bound at {a:w} is {t:t}; give what model.bind(...) gave, unchanged",
    "{a}에 묶인 것이 {t}입니다. model.bind(...)가 낸 것을 그대로 주세요.",
  ],
  [
    "what is bound at {a:w} is {t:t}, and places are i32; give what model.bind(...) gave, unchanged",
    "{a}에 묶인 것이 {t}인데 자리는 i32여야 합니다. model.bind(...)가 낸 것을 그대로 주세요.",
  ],
  [
    "{op:p} asks for {what:p}, {n:w} numbers of data that its shapes are made of; {m:w} is the most",
    "{op|이} 물은 {what|은} 모양을 이루는 데이터 {n}개입니다. {m}개까지입니다.",
  ],
  // Writing.
  ["the graph reads {a:w}, which is none of its inputs", "그래프가 자기 입력이 아닌 {a|을} 읽습니다."],
  ["the body reads {a:w}, which is none of its inputs", "몸체가 자기 입력이 아닌 {a|을} 읽습니다."],
  ["onnx: {a:w} is {op:w}, {t}, and cannot be written: {why:s}", "ONNX: {a}({op}, {t})를 쓸 수 없습니다. {why!}"],
  ["onnx: {a:w} is {op:w}, {t:t}, in {place}, and cannot be written: {why:s}", "ONNX: {place}의 {a}({op}, {t})를 쓸 수 없습니다. {why!}"],
  ["it is an op from outside without a lower", "밖에서 만든 연산인데 lower가 없습니다."],
  ["ONNX has no operator of the gamma function", "ONNX에는 감마 함수 연산자가 없습니다."],
  ["ONNX has no operators of linear algebra beyond products and determinants", "ONNX에는 곱과 행렬식 말고는 선형대수 연산자가 없습니다."],
  [
    "each of its exchanges needs the one before, which ONNX could only do in a loop; shuffle outside and hand the order in as an input",
    "교환 하나하나가 그 앞의 교환을 필요로 해서 ONNX로는 반복으로만 할 수 있습니다. 밖에서 섞어 그 순서를 입력으로 넘기세요.",
  ],
  [
    "its halves of real and imaginary parts are other ones than those of ONNX's DFT",
    "실수부와 허수부를 나누는 방식이 ONNX의 DFT와 다릅니다.",
  ],
  [
    "the model would take {n:w} bytes, and a model file has less than 2 GiB; onnx.save writes the weights to a file beside it",
    "모델이 {n}바이트가 되는데 모델 파일은 2 GiB보다 작아야 합니다. onnx.save는 가중치를 옆의 파일에 씁니다.",
  ],
  [
    "this is neither a model that onnx.read gave nor a graph; write graph(types, body) or model.with(params)",
    "onnx.read가 낸 모델도 그래프도 아닙니다. graph(types, body)나 model.with(params)를 쓰세요.",
  ],
  [
    "the data of {a:p} was not read, because the outputs that were asked for do not need it; onnx.save reads it, and so does onnx.read without outputs",
    "{a}의 데이터는 요청한 출력에 필요하지 않아 읽지 않았습니다. onnx.save와, outputs 없는 onnx.read는 읽습니다.",
  ],
  [
    "a loop of up to {n:w} rounds, of which data tells how many are made, cannot be written; up to {m:w} can: give whileLoop a smaller limit",
    "데이터에 따라 {n}번까지 도는 반복은 쓸 수 없습니다. {m}번까지 쓸 수 있으니 whileLoop의 limit를 줄이세요.",
  ],
];
