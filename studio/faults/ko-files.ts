import type { Row } from "./tell-fault.ts";

/** What is said of files: tables, tensors, saved graphs and ONNX models. */
export const files: readonly Row[] = [
  // What was given.
  [
    "the bytes are {a:p}; they are a Uint8Array or an ArrayBuffer, and a file is read by {g}",
    "바이트 자리에 있는 것이 {a}입니다. Uint8Array나 ArrayBuffer를 주세요. 파일은 {g|으로} 읽습니다.",
  ],
  [
    "the bytes are {a:p}; they are a Uint8Array or an ArrayBuffer, and a file is read by its path, {g}",
    "바이트 자리에 있는 것이 {a}입니다. Uint8Array나 ArrayBuffer를 주세요. 파일은 경로로 읽습니다: {g}",
  ],
  ["{what:p} is {a:p}; it is a tensor: {g}", "{what!} 자리에 있는 것이 {a}입니다. 텐서여야 합니다: {g}"],
  ["the tensors are {a:p}; they are a record: {g:s}", "텐서 자리에 있는 것이 {a}입니다. 레코드여야 합니다: {g}"],
  [
    "parseCsv: the text is {a:p}; decode bytes: {g}, and read a file by {h}",
    "CSV: 글 자리에 있는 것이 {a}입니다. 바이트는 {g|으로} 풀고, 파일은 {h|으로} 읽으세요.",
  ],
  [
    "{who:w}: the text is a path, {a}; it is what is in the file, and by its path it is read by readCsv",
    "{who}에 경로 {a|을} 주었습니다. 파일에 든 글을 주세요. 경로로는 readCsv가 읽습니다.",
  ],
  [
    "csvBlocks: the pieces are {a:p}; they are texts or Uint8Arrays, one after the other: {g}",
    "CSV: 조각들 자리에 있는 것이 {a}입니다. 글이나 Uint8Array를 차례로 주세요: {g}",
  ],
  ["csvBlocks: a piece is {a:p}; pieces are texts or Uint8Arrays: {g}", "CSV: 조각 하나가 {a}입니다. 조각은 글이나 Uint8Array입니다: {g}"],
  ["writeGraph: the second argument is {a:p}; it is a graph: {g:s}", "writeGraph의 두 번째 인수가 {a}입니다. 그래프여야 합니다: {g}"],
  ['the path is {a:p}; it is a text, as "table.csv"', '경로 자리에 있는 것이 {a}입니다. "table.csv" 같은 글이어야 합니다.'],
  ["bytes are for parseNpy, parseNpz and the like", "바이트는 parseNpy, parseNpz 같은 함수가 읽습니다."],
  [
    "cannot write {path}: what it is to hold is {a}; it is a text, a Uint8Array, or several of these",
    "{path|을} 쓸 수 없습니다. 담을 것이 {a}입니다. 글, Uint8Array 또는 그 목록이어야 합니다.",
  ],
  [
    "onnx: the model is {a:p}; it is a path, an address, bytes or a Blob: {g}",
    "ONNX: 모델 자리에 있는 것이 {a}입니다. 경로, 주소, 바이트, Blob 가운데 하나여야 합니다: {g}",
  ],
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
  ["csv: there is no column {a} to ignore; there are {b}", "CSV: 무시할 열 {a|이} 없습니다. 있는 열: {b}."],
  [
    'csv: ignore is {a:p}; it is a list of names: { ignore: ["id"] }',
    'CSV: ignore가 {a}입니다. { ignore: ["id"] }처럼 이름 목록을 쓰세요.',
  ],
  [
    "csv: {a} is the label, and in ignore; it is read, or it is left out",
    "CSV: {a|은} 레이블인데 ignore에도 있습니다. 읽거나 빼거나 둘 중 하나만 고르세요.",
  ],
  ["where it is not known, leave the cell empty", "값을 모르면 칸을 비워 두세요."],
  ["say { ignore: [{a}] } to leave columns of text out", "글자가 있는 열을 빼려면 { ignore: [{a}] }라고 쓰세요."],
  [
    "there is no comma in the first row: if {a:w} is between its cells, say {g}",
    "첫 행에 쉼표가 없습니다. 칸 사이에 있는 것이 {a|이}라면 {g|을} 쓰세요.",
  ],
  ["the first row has numbers, so these are no names of the file", "첫 행이 수라서 이것은 파일에 있는 이름이 아닙니다."],
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
  ["safetensors: {a}: dtype is missing; known are {all}", "safetensors: {a}에 dtype이 없습니다. 아는 것: {all}."],
  ["__metadata__ holds strings only, and {a} is none", "__metadata__에는 문자열만 들어가는데 {a|은} 문자열이 아닙니다."],
  [
    "a tensor cannot be called __metadata__, which the format keeps for text; name it otherwise",
    "텐서의 이름으로 __metadata__는 쓸 수 없습니다. 글을 위해 정해진 이름이니 다른 이름을 쓰세요.",
  ],
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
  ["{what:w} {a:w} is no input", "{what}의 {a|은} 입력이 아닙니다."],
  ["{what:w} {a:w} is no value", "{what}의 {a|은} 값이 아닙니다."],
  ["{f:w} has one result", "{f}의 결과는 하나입니다."],
  ["data nested deeper than {n:w}", "데이터가 {n}겹보다 깊이 중첩되었습니다."],
  ["the name {a:w} stands twice", "이름 {a|이} 두 번 나옵니다."],
  // Data sets.
  ["there are no columns; give a record of tensors: {g}", "열이 없습니다. 텐서의 레코드를 주세요: {g}"],
  ["{x:p} is {t:t}, a scalar; rows are axis 0 of each column", "{x|은} 스칼라({t})입니다. 행은 각 열의 축 0입니다."],
  ["{x:p} is {t:t}, a scalar; rows are axis 0", "{x|은} 스칼라({t})입니다. 행은 축 0입니다."],
  ["columns have one row each for every sample", "모든 열에 표본마다 한 행씩 있어야 합니다."],
  [
    "{x:w} is {t:t} and {y:w} {u:t}; they have one row each for every sample",
    "{x|은} {t}, {y|은} {u}입니다. 둘 다 표본마다 한 행씩 있어야 합니다.",
  ],
  ["there is no row {i:w}; rows go from 0 to {n:w}", "{i}번 행은 없습니다. 행은 0부터 {n}까지입니다."],
  ["the share is {x:p}; it is a number from 0 to 1, such as 0.8", "몫이 {x}입니다. 0.8처럼 0부터 1까지의 수여야 합니다."],
  ["there is no column {a:w}; there are {b:p}", "열 {a|이} 없습니다. 있는 열: {b}."],
  ["stratify takes a column with one number a row, such as the labels", "stratify는 레이블처럼 행마다 수가 하나인 열을 받습니다."],
  ["the seed is {x:w}; it is a whole number", "시드가 {x}입니다. 정수여야 합니다."],
  ["the pass is {x:w}; it is a whole number", "바퀴 번호가 {x}입니다. 정수여야 합니다."],
  ["there are no files; give a record of paths: {g}", "파일이 없습니다. 경로의 레코드를 주세요: {g}"],
  ["no tensor is named; say which ones: {g}", "텐서의 이름이 없습니다. 어느 것인지 적으세요: {g}"],
  ["there is no tensor {a:w} in the file; it has {b:p}", "파일에 텐서 {a|이} 없습니다. 있는 것: {b}."],
  ["the file has become shorter while it was read", "읽는 동안 파일이 짧아졌습니다."],
  ["the file has changed since its rows were counted; begin again", "행을 센 뒤에 파일이 바뀌었습니다. 다시 시작하세요."],
  ["blockRows is {x:w}; it must be a whole number, 1 or more", "blockRows가 {x}입니다. 1 이상의 정수여야 합니다."],
  [
    "its tensors are said to be in {a}; they must be a .safetensors file in the same folder",
    "텐서가 {a}에 있다고 되어 있습니다. 같은 폴더의 .safetensors 파일이어야 합니다.",
  ],
  ["no extension; known are {all}", "확장자가 없습니다. 읽을 수 있는 것: {all}."],
  ["extension {a:w}; known are {all}", "확장자 {a|은} 읽을 수 없습니다. 읽을 수 있는 것: {all}."],
  [
    "files by path need Node; in a page, fetch the bytes and use parseNpy, parseNpz, parseSafetensors or parseCsv",
    "경로로 파일을 읽으려면 Node가 필요합니다. 페이지에서는 바이트를 fetch 해서 parseNpy, parseNpz, parseSafetensors, parseCsv를 쓰세요.",
  ],
  [
    "{t:w} element {i:w} is {x:w}, beyond 2^53: 64-bit integers are exact only up to 2^53 here; save it as f64 or i32",
    "{t}의 원소 {i|이} {x|으로} 2^53을 넘습니다. 64비트 정수는 여기서 2^53까지만 정확하니 f64나 i32로 저장하세요.",
  ],
  [
    "{t:w} element {i:w} is {x:w}; a 64-bit integer must be a whole number of at most 2^53 to be written exactly",
    "{t}의 원소 {i|이} {x}입니다. 64비트 정수를 정확히 쓰려면 크기가 2^53 이하인 정수여야 합니다.",
  ],
  [
    "{t:w} element {i:w} is {x:w}; a 64-bit integer must be a whole number, 0 or more, of at most 2^53 to be written exactly",
    "{t}의 원소 {i|이} {x}입니다. 부호 없는 64비트 정수를 정확히 쓰려면 0 이상 2^53 이하인 정수여야 합니다.",
  ],
];
