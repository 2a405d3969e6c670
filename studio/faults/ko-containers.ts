import type { Row } from "./tell-fault.ts";

/** What is said of images, of IDX and CIFAR files, and of the insides of npy and zip files. */
export const containers: readonly Row[] = [
  // Files that Node opens and writes.
  ["it is a folder, not a file", "파일이 아니라 폴더입니다."],
  ["it is no ordinary file", "보통 파일이 아닙니다."],
  ["cannot read it: {why:s}", "읽을 수 없습니다: {why!}"],
  ["cannot read bytes {a:w} to {b:w} of it: {why:s}", "{a}~{b}바이트를 읽을 수 없습니다: {why!}"],
  ["it ended while it was read", "읽는 동안 파일이 끝났습니다."],
  ["its {n:w} bytes do not fit memory", "{n}바이트가 메모리에 들어가지 않습니다."],
  ["{n:w} bytes do not fit memory", "{n}바이트가 메모리에 들어가지 않습니다."],
  ["cannot write the log {a}: {why:s}", "기록 {a|을} 쓸 수 없습니다: {why!}"],
  ["cannot write {a}: {why:s}", "{a|을} 쓸 수 없습니다: {why!}"],
  // Images.
  ["it is no PNG, JPEG or WebP image: it begins with the bytes {b:s}", "PNG, JPEG, WebP 이미지가 아닙니다. 처음 바이트: {b}."],
  ["the file is empty", "파일이 비어 있습니다."],
  [
    "the {kind:w} image cannot be decoded; it is damaged or cut short ({_why:s})",
    "{kind} 이미지를 읽을 수 없습니다. 손상되었거나 잘렸습니다.",
  ],
  [
    "images are decoded by the package sharp, which is not installed: npm install sharp",
    "이미지는 sharp 패키지로 읽는데 설치되어 있지 않습니다: npm install sharp",
  ],
  ['it is "f32", from 0 to 1, or "u8"', '0부터 1까지인 "f32"이거나 "u8"이어야 합니다.'],
  [
    "it is a number of pixels, or [height, width], each a whole number from 1 to {n:w}",
    "픽셀 수이거나 [높이, 너비]여야 하고, 저마다 1부터 {n}까지의 정수여야 합니다.",
  ],
  ["size is {a}", "size가 {a}입니다."],
  ["it cannot be fetched: {a:s}", "가져올 수 없습니다: {a}"],
  [
    "images have one size, and {a} is {t:t} and {b} is {u:t}; say which size: {g}",
    "이미지의 크기가 같아야 하는데 {a|은} {t}, {b|은} {u}입니다. 크기를 적으세요: {g}",
  ],
  [
    "two folders have this name, written in different ways; a class has one",
    "이름이 같은 폴더가 다르게 적혀 둘 있습니다. 클래스마다 폴더는 하나입니다.",
  ],
  [
    "the class has no image: no .png, .jpg, .jpeg or .webp file; put some there, or take the folder away",
    "이 클래스에 이미지(.png, .jpg, .jpeg, .webp)가 없습니다. 이미지를 넣거나 폴더를 치우세요.",
  ],
  [
    "it has no folders, and each class is a folder of images: {a:s}",
    "안에 폴더가 없습니다. 클래스마다 이미지 폴더가 하나씩 있어야 합니다: {a}",
  ],
  ["cannot read the folder: {why:s}", "폴더를 읽을 수 없습니다: {why!}"],
  [
    "images of this kind are not read; make it a PNG, JPEG or WebP image, or take it away",
    "이런 이미지는 읽지 않습니다. PNG, JPEG, WebP로 바꾸거나 치우세요.",
  ],
  // IDX and CIFAR.
  ["the file is packed by gzip; unpack it first: {g}", "gzip으로 묶인 파일입니다. 먼저 푸세요: {g}"],
  [
    "the file does not begin with 0, 0, a kind of element and a number of axes; it is no IDX file",
    "파일이 0, 0, 원소의 종류, 축의 수로 시작하지 않습니다. IDX 파일이 아닙니다.",
  ],
  ["the file ends after {n:w} bytes, within its header; it is cut short", "파일이 헤더 도중 {n}바이트에서 끝납니다. 파일이 잘렸습니다."],
  [
    "{t:t} takes {n:w} bytes and the file has {m:w} after its header; it is cut short",
    "{t|은} {n}바이트인데 헤더 뒤에 {m}바이트만 있습니다. 파일이 잘렸습니다.",
  ],
  [
    "{t:t} takes {n:w} bytes and the file has {m:w} after its header; it is too long",
    "{t|은} {n}바이트인데 헤더 뒤에 {m}바이트가 있습니다. 파일이 너무 깁니다.",
  ],
  ["{t:t} takes {n:w} bytes and the file has {m:w} after its header", "{t|은} {n}바이트인데 헤더 뒤에는 {m}바이트입니다."],
  [
    "{a:w} is {t:t} and {b:w} {u:t}; they are images u8[rows, height, width] and labels u8[rows]",
    "{a|은} {t}, {b|은} {u}입니다. 이미지는 u8[행, 높이, 너비], 레이블은 u8[행]이어야 합니다.",
  ],
  [
    "the file has {n:w} bytes, and records of CIFAR-10 have {m:w} each; it is cut short or something else",
    "파일이 {n}바이트인데 CIFAR-10의 레코드는 {m}바이트씩입니다. 잘렸거나 다른 파일입니다.",
  ],
  ["the label of record {i:w} is {x:w}; CIFAR-10 has classes 0..9", "레코드 {i}의 레이블이 {x}입니다. CIFAR-10의 클래스는 0..9입니다."],
  // npy.
  [
    "the array is column-major, so its rows are not in one place; save np.ascontiguousarray(array)",
    "배열이 열 우선이라 행이 한곳에 있지 않습니다. np.ascontiguousarray(array)를 저장하세요.",
  ],
  ["the header must be a dict with descr, fortran_order and shape", "헤더는 descr, fortran_order, shape가 있는 dict여야 합니다."],
  ["the header's shape must be a tuple of whole numbers, 0 or more", "헤더의 shape는 0 이상의 정수로 된 tuple이어야 합니다."],
  ["the header's fortran_order must be True or False", "헤더의 fortran_order는 True나 False여야 합니다."],
  [
    "{t:t} takes {n:w} bytes and {m:w} more follow; save several arrays with np.savez",
    "{t|은} {n}바이트인데 뒤에 {m}바이트가 더 있습니다. 배열 여럿은 np.savez로 저장하세요.",
  ],
  ["format version {a:w}; 1, 2 and 3 are known", "형식 버전이 {a}입니다. 1, 2, 3을 읽을 수 있습니다."],
  ["the header is not UTF-8", "헤더가 UTF-8이 아닙니다."],
  ["the header has no descr", "헤더에 descr가 없습니다."],
  ["descr {a:w} is no NumPy dtype", "descr {a|은} NumPy 자료형이 아닙니다."],
  ["the array holds {kind}; {advice} (descr {d:w})", "배열에 {kind!|이} 들어 있습니다(descr {d}). {advice!}"],
  ["the array holds {kind}; {advice}", "배열에 {kind!|이} 들어 있습니다. {advice!}"],
  [
    "the array holds complex numbers, which are not supported; save array.real and array.imag (descr {d:w})",
    "배열에 지원하지 않는 복소수가 들어 있습니다(descr {d}). array.real과 array.imag를 저장하세요.",
  ],
  ["save an array of numbers: {g}", "수의 배열을 저장하세요: {g}"],
  ["save each field by itself (bfloat16 as np.float32)", "필드를 하나씩 저장하세요(bfloat16은 np.float32로)."],
  ["save numbers", "수를 저장하세요."],
  ["save {g:w}", "{g|을} 저장하세요."],
  [
    "NumPy has no {t:w}; write {g} first, or save as safetensors",
    "NumPy에는 {t|이} 없습니다. 먼저 {g|을} 쓰거나 safetensors로 저장하세요.",
  ],
  ["the header needs {a} at character {n:w} and has {b}", "헤더의 {n}번째 글자에 {a!|이} 와야 하는데 {b!|이} 있습니다."],
  ["an array needs a name", "배열에 이름이 있어야 합니다."],
  // zip.
  ["{a} is in the file twice", "{a|이} 파일에 두 번 나옵니다."],
  ["the directory has {n:w} bytes more than its {m:w} entries take", "목차가 항목 {m}개의 크기보다 {n}바이트 큽니다."],
  ["members {a} and {b} overlap", "{a|과} {b|이} 겹칩니다."],
  ["the file is one of several parts; join them first", "여러 조각 가운데 하나인 파일입니다. 먼저 합치세요."],
  ["the zip64 end record is not where it should be", "zip64 끝 레코드가 있어야 할 자리에 없습니다."],
  [
    "the directory would end at byte {n:w}, past its end record at {m:w}; the file is damaged",
    "목차가 {n}바이트에서 끝나야 하는데 끝 레코드는 그 앞인 {m}바이트에 있습니다. 파일이 손상되었습니다.",
  ],
  [
    "{a} is packed by method {n:w}; stored (0) and deflate (8) are known",
    "{a|이} 방법 {n|으로} 압축되어 있습니다. stored(0)와 deflate(8)를 읽을 수 있습니다.",
  ],
  ["{a} is stored in {n:w} bytes and declared as {m:w}", "{a|이} {n}바이트로 저장되었는데 {m}바이트라고 되어 있습니다."],
  [
    "{a} declares {n:w} bytes, which {m:w} packed bytes cannot hold",
    "{a|이} {n}바이트라고 되어 있는데 압축된 {m}바이트에는 담을 수 없습니다.",
  ],
  ["{a} has no zip64 sizes where its directory entry says so", "{a}의 목차 항목이 가리키는 자리에 zip64 크기가 없습니다."],
  ["a member's name is not UTF-8; rename it", "안에 든 파일의 이름이 UTF-8이 아닙니다. 이름을 바꾸세요."],
  [
    "{a} should begin at byte {n:w} and does not; the file is damaged",
    "{a|이} {n}바이트에서 시작해야 하는데 그렇지 않습니다. 파일이 손상되었습니다.",
  ],
  ["{a} runs into the directory; the file is damaged", "{a|이} 목차를 침범합니다. 파일이 손상되었습니다."],
  [
    "the file would pass 4 GiB, 65534 members or a name of 65535 bytes; save as safetensors instead",
    "파일이 4 GiB, 파일 65534개, 이름 65535바이트 가운데 하나를 넘게 됩니다. safetensors로 저장하세요.",
  ],
  ["{a:p} is damaged: it does not unpack ({_why:s})", "{a|이} 손상되어 풀리지 않습니다."],
  ["{a:p} unpacks to more than the {n:w} bytes it declares", "{a|을} 풀면 적힌 {n}바이트보다 큽니다."],
  ["{a:p} unpacks to {n:w} bytes and declares {m:w}", "{a|을} 풀면 {n}바이트인데 {m}바이트라고 되어 있습니다."],
];

/** Parts of such sentences. */
export const containerPhrases: readonly Row[] = [
  ["onnx:", "ONNX"],
  ["csv:", "CSV"],
  ["Python objects", "Python 객체"],
  ["raw or structured records", "구조체 레코드"],
  ["bytes", "바이트"],
  ["text", "글자"],
  ["dates", "날짜"],
  ["time spans", "시간 간격"],
  ["floats of an unusual width", "너비가 특이한 실수"],
  ["lists nested no deeper than {n:w}", "{n}겹보다 깊지 않은 목록"],
  ["a key in quotes", "따옴표로 묶인 키"],
  ["each key once ({a} is there twice)", "한 번씩만 나오는 키({a|이} 두 번 나옴)"],
  [", or {a:w}", '"," 또는 "{a}"'],
  ["nothing more", "끝"],
  ["there is no such file or folder", "그런 파일이나 폴더가 없습니다."],
  ["permission is denied", "권한이 없습니다."],
  ["it is a folder", "폴더입니다."],
  ["a part of the path is no folder", "경로의 일부가 폴더가 아닙니다."],
  ["its links go in a circle", "링크가 순환합니다."],
  ["the name is too long", "이름이 너무 깁니다."],
  ["the disk is full", "디스크가 가득 찼습니다."],
  ["the disk is read-only", "디스크에 쓸 수 없습니다."],
  ["too many files are open", "파일이 너무 많이 열려 있습니다."],
];
