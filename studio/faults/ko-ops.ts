import type { Row } from "./tell-fault.ts";

/** What ops say of their operands. Facts such as `x is f64[2] and y is f64[3]` need no row: see `tell-fault.ts`. */
export const ops: readonly Row[] = [
  ["aligned at the right, sizes must be equal or 1", "오른쪽부터 맞추었을 때 크기가 서로 같거나 1이어야 합니다."],
  ["{x:w} is {t:t} and {op:w} takes {what}", "{x|은} {t}인데 {op|은} {what!|을} 받습니다."],
  ["write {a}", "{a|으로} 쓰세요."],
  ['write "same", "valid", a number, one per axis, or pairs', '"same", "valid", 수 하나, 축마다 하나, 쌍 가운데 하나로 쓰세요.'],
  ["the inner sizes {a} must match", "안쪽 크기({a!})가 서로 같아야 합니다."],
  [
    "a matrix product takes vectors or matrices: write mul for a scalar factor",
    "행렬 곱은 벡터나 행렬을 받습니다. 스칼라를 곱하려면 mul을 쓰세요.",
  ],
  ["the sizes before the last two must be equal or 1", "마지막 두 축보다 앞의 크기는 서로 같거나 1이어야 합니다."],
  ["both have a last axis of one size", "두 값의 마지막 축의 크기가 같아야 합니다."],
  ["its last axis has size 3", "마지막 축의 크기는 3이어야 합니다."],
  ["axis {a:w} of a scalar; a scalar has no axes, leave axis out", "스칼라에 축 {a|을} 주었습니다. 스칼라에는 축이 없으니 axis를 빼세요."],
  ["axis {a:w} is out of range for rank {r:w}; axes are {b:w}", "축 {a|은} 차원 수 {r}의 범위를 벗어났습니다. 축은 {b}입니다."],
  ["axis {a:w} is named twice in {b}; name each axis once", "{b}에 축 {a|이} 두 번 나옵니다. 축마다 한 번만 쓰세요."],
  [
    "{x:w} is {t:t} and axis {a:w} has no elements; {_what} of nothing is not defined",
    "{x|은} {t}이고 축 {a}에 원소가 없습니다. 원소가 없으면 값이 정의되지 않습니다.",
  ],
  [
    "{x:w} is {t:t} with {n:w} elements and cannot take shape {s}; the sizes must multiply to {m:w}, at most one may be -1",
    "{x|은} {t|이라} 원소가 {n}개이므로 모양 {s|으로} 바꿀 수 없습니다. 크기의 곱이 {m|이어야} 하고, -1은 하나만 쓸 수 있습니다.",
  ],
  [
    "{x:w} is {t:t} and cannot be repeated to {s}; only axes of size 1 and new leading axes grow",
    "{x|은} {t|이라} {s|으로} 늘릴 수 없습니다. 크기가 1인 축과 앞에 새로 붙는 축만 늘어납니다.",
  ],
  ["axes {a} do not name each of the {n:w} axes of {t} once", "axes {a|은} {t}의 축 {n}개를 한 번씩 적지 않았습니다."],
  [
    "{x:w} is {t:t} and axis {a:w} has size {n:w}; only axes of size 1 can go",
    "{x|은} {t}이고 축 {a}의 크기는 {n}입니다. 크기가 1인 축만 없앨 수 있습니다.",
  ],
  [
    "{x:w} is {t:t} and repeats is {r}; write one whole number, 0 or more, for each of the {n:w} axes",
    "{x|은} {t}이고 repeats는 {r}입니다. 축 {n}개마다 0 이상의 정수를 하나씩 쓰세요.",
  ],
  ["all sizes but that of axis {a:w} must be equal", "축 {a|을} 뺀 나머지 크기가 모두 같아야 합니다."],
  ["the list is empty; give one tensor or more", "목록이 비었습니다. 텐서를 하나 이상 쓰세요."],
  ["all must have one shape", "모두 모양이 같아야 합니다."],
  ["both are [..., positions, size]", "둘 다 [..., 위치, 크기]여야 합니다."],
  ["it is bool (what is seen) or floats (what is added)", "볼 곳을 나타내는 bool이거나 더할 실수여야 합니다."],
  [
    "the scores are {t:t} and axis {a:w} is that of the classes; there are none",
    "점수가 {t|이고} 축 {a|은} 클래스의 축인데, 클래스가 하나도 없습니다.",
  ],
  ["the scores are a scalar; classes are the last axis", "점수가 스칼라입니다. 클래스는 마지막 축입니다."],
  [
    "weights are {t} and there are {n:w} classes; weights are {s}, one a class",
    "weights는 {t}인데 클래스는 {n}개입니다. 클래스마다 하나씩 {s|이어야} 합니다.",
  ],
  ["labels are {t:t} beside {u:t}", "점수 {u}에 대한 레이블이 {t}입니다."],
  ["they are {t:t}, one class per sample", "표본마다 클래스가 하나씩인 {t|이어야} 합니다."],
  ["reduction is {a:w}", "reduction은 {a}입니다."],
  ['it is "mean", "sum" or "none"', '"mean", "sum", "none" 가운데 하나여야 합니다.'],
  ['it is "none" or "add"', '"none" 또는 "add"여야 합니다.'],
  ["it is a whole number, 1 or more (order 0 is digamma)", "1 이상의 정수여야 합니다(0차는 digamma)."],
  ["it is a whole number, 1 or more", "1 이상의 정수여야 합니다."],
  ["it is a whole number other than 0", "0이 아닌 정수여야 합니다."],
  ["it is a whole number", "정수여야 합니다."],
  ["it is a number above 0, or Infinity for the largest magnitude", "0보다 큰 수이거나, 가장 큰 절댓값을 뜻하는 Infinity여야 합니다."],
  ["it is a number above 0", "0보다 큰 수여야 합니다."],
  ["it is a number of 0 or more", "0 이상의 수여야 합니다."],
  ["it is a scalar", "스칼라여야 합니다."],
  [
    "it is the share of probability that goes to all classes alike, from 0 to 1",
    "모든 클래스에 고르게 나눌 확률의 몫이므로 0부터 1까지여야 합니다.",
  ],
  [
    "{p:w} is {t:t} and {q:w} is {u:t}, together {s}, every prediction against every target; give them one shape{_more}",
    "{p|은} {t}, {q|은} {u|이라} 함께 {s|이} 되어 모든 예측을 모든 목표와 비교하게 됩니다. 두 모양을 같게 하세요.",
  ],
  [
    "{p:w} is {t:t} and {q:w} is {u:t}, together {s}, every prediction against every target; give them one shape",
    "{p|은} {t}, {q|은} {u|이라} 함께 {s|이} 되어 모든 예측을 모든 목표와 비교하게 됩니다. 두 모양을 같게 하세요.",
  ],
  ["{p:w} needs {n:w} elements, those of axis {a:w}", "{p}에는 축 {a}의 크기인 {n}개의 원소가 필요합니다."],
  ["channels are axis 1 of [N, C, ...]", "채널은 [N, C, ...]의 축 1입니다."],
  [
    "groups is {g:w} and x has {n:w} channels; the groups must divide the channels evenly",
    "groups는 {g}인데 x의 채널은 {n}개입니다. 채널이 groups로 나누어떨어져야 합니다.",
  ],
  ["the order of a norm is above 0", "노름의 차수는 0보다 커야 합니다."],
  [
    "they are [batch, channels, ...space] and [channels, channels / groups, ...kernel] with the same 1 to 3 spatial axes",
    "[배치, 채널, ...공간]과 [채널, 채널 / groups, ...커널]이어야 하고 공간 축은 둘 다 같은 1~3개여야 합니다.",
  ],
  [
    "x is {t:t} and w is {u:t} with groups {g:w}; w is [O, C / groups, ...kernel], C and O divisible by groups",
    "x는 {t}, w는 {u}이고 groups는 {g}입니다. w는 [O, C / groups, ...커널]이고 C와 O가 groups로 나누어떨어져야 합니다.",
  ],
  ["bias is {t:t} and w has {n:w} output channels; bias is {s}", "bias는 {t}인데 w의 출력 채널은 {n}개입니다. bias는 {s|이어야} 합니다."],
  [
    "w is {t:t} with dilation {d:w} and does not fit x, {u}, padded by {p} on spatial axis {a:w}; pad more or use a smaller kernel",
    "w는 {t}(dilation {d})라 공간 축 {a|을} {p!}만큼 채운 x({u})에 들어가지 않습니다. 더 채우거나 더 작은 커널을 쓰세요.",
  ],
  ['padding "same" has no meaning here; give numbers', 'padding "same"은 여기서 뜻이 없습니다. 수로 쓰세요.'],
  [
    "x is {t:t} and w is {u:t}; w is [C, O / groups, ...kernel] with x's C channels",
    "x는 {t}, w는 {u}입니다. w는 x의 채널 수 C로 시작하는 [C, O / groups, ...커널]이어야 합니다.",
  ],
  ["it is [batch, channels, ...space] with 1 to 3 spatial axes", "공간 축이 1~3개인 [배치, 채널, ...공간]이어야 합니다."],
  ["size is not given; it is how far a window reaches, {a} say", "size가 없습니다. 창의 크기를 {a}처럼 쓰세요."],
  [
    "a window of {n:w} with dilation {d:w} does not fit x, {t}, on spatial axis {a:w}",
    "크기 {n}(dilation {d})인 창이 x({t})의 공간 축 {a}에 들어가지 않습니다.",
  ],
  [
    "{name:w} has {n:w} numbers and there are {m:w} spatial axes; give one number, or one per axis",
    "{name}에 수가 {n}개인데 공간 축은 {m}개입니다. 수 하나나 축마다 하나씩 쓰세요.",
  ],
  ["whole numbers of {n:w} or more are wanted", "{n} 이상의 정수여야 합니다."],
  ["padding is {a:w}", "padding이 {a}입니다."],
  ["padding has {n:w} entries and there are {m:w} spatial axes", "padding이 {n}개인데 공간 축은 {m}개입니다."],
  [
    "padding has {a}; whole numbers of 0 or more, or pairs of them",
    "padding에 {a|이} 있습니다. 0 이상의 정수나 그런 수의 쌍이어야 합니다.",
  ],
  [
    "integer division of {a:w} by zero; integers have no infinity: cast to a float first, or guard with where",
    "정수 {a|을} 0으로 나누었습니다. 정수에는 무한대가 없으니 먼저 실수로 바꾸거나 where로 막으세요.",
  ],
  [
    "{a:w} mod 0 of integers; integers have no NaN: cast to a float first, or guard with where",
    "정수 {a|을} 0으로 나눈 나머지입니다. 정수에는 NaN이 없으니 먼저 실수로 바꾸거나 where로 막으세요.",
  ],
  ["{a} of integers is no integer; cast to a float first: {g}", "정수의 {a|이} 정수가 아닙니다. 먼저 실수로 바꾸세요: {g}"],
  ["test is {t:t} and must be bool; compare: {g}", "test는 {t}인데 bool이어야 합니다. 비교하세요: {g}"],
  ["{x:w} is {t:t} and a mean is seldom a whole number", "{x|은} {t}인데 평균은 대개 정수가 아닙니다."],
  ["{name:w} is NaN; leave it out for no bound", "{name|이} NaN입니다. 제한이 없으면 빼세요."],
  ["min {a:w} is above max {b:w}; exchange them", "min {a|이} max {b}보다 큽니다. 서로 바꾸세요."],
  ["the type is {t:t}", "타입은 {t}입니다."],
  [
    "start {a:w}, end {b:w}, step {c:w}; all are finite numbers and step is not 0",
    "start {a}, end {b}, step {c}입니다. 모두 유한한 수이고 step은 0이 아니어야 합니다.",
  ],
  ["it takes a vector, or a matrix whose diagonal is wanted", "벡터나, 대각선을 얻을 행렬을 받습니다."],
  [
    "they have one rank, and off axis {a:w} indices are no larger than x",
    "두 값의 차원 수가 같고, 축 {a} 밖에서 indices가 x보다 크지 않아야 합니다.",
  ],
  ["they have one shape", "두 모양이 같아야 합니다."],
  ["indices are whole numbers", "인덱스는 정수여야 합니다."],
  ["indices is {i:w} and axis {a:w} of x has size {n:w}", "indices는 {i}인데 x의 축 {a}의 크기는 {n}입니다."],
  ["an empty axis has no indices", "빈 축에는 인덱스가 없습니다."],
  ["indices{at} is {i:w} and axis {a:w} of x has size {n:w}", "indices{at|은} {i}인데 x의 축 {a}의 크기는 {n}입니다."],
  ["it has no axis to index", "고를 축이 없습니다."],
  ["it has no axis to slice", "자를 축이 없습니다."],
  ["it has no axis to order", "정렬할 축이 없습니다."],
  ["it is the number of classes, a whole number", "클래스의 수이므로 정수여야 합니다."],
  ["classes are whole numbers", "클래스는 정수여야 합니다."],
  ["classes are 0..{n:w}, or -1 for none", "클래스는 0..{n}, 없음은 -1입니다."],
  ["mode is {a:w}", "mode가 {a}입니다."],
  ['it is "constant", "reflect" or "edge"', '"constant", "reflect", "edge" 가운데 하나여야 합니다.'],
  [
    "x is {t:t} and pads has {n:w} pairs; write [before, after] for each of the {m:w} axes",
    "x는 {t}인데 pads에 쌍이 {n}개입니다. 축 {m}개마다 [앞, 뒤]를 쓰세요.",
  ],
  ["the sizes are whole numbers that add up to {n:w}, the size of axis {a:w}", "sizes는 더해서 축 {a}의 크기 {n|이} 되는 정수여야 합니다."],
  [
    "x is {t:t} and parts is {p:w}; axis {a:w} has size {n:w}: write a number of parts that divides it, or { sizes: [...] }",
    "x는 {t}이고 parts는 {p}인데 축 {a}의 크기는 {n}입니다. 나누어떨어지는 수를 쓰거나 { sizes: [...] }를 쓰세요.",
  ],
  ["a triangle needs two axes or more", "삼각 행렬에는 축이 둘 이상 필요합니다."],
  [
    "k is {k:w} and axis {a:w} of x, {t}, has size {n:w}; k is a whole number from 0 to {m:w}",
    "k는 {k}인데 x({t})의 축 {a}의 크기는 {n}입니다. k는 0부터 {m}까지의 정수여야 합니다.",
  ],
  ["element {a:w} holds whole numbers from {b}", "원소 {a|이} 정수 범위를 벗어났습니다: {b}"],
  // Einstein sums.
  ["einsum {spec:w} {more}", "einsum {spec} {more!}"],
  ["einsum {spec:w}: {what:s}", "einsum {spec}: {what!}"],
  ['write operands, one arrow at most, and the result: "ij,jk->ik"', '피연산자, 화살표 하나, 결과의 차례로 쓰세요: "ij,jk->ik"'],
  ["{n:w} operands are described and {m:w} were given", "피연산자 {n}개를 적었는데 {m}개를 주었습니다."],
  [
    "operand {i:w} is {t:t} with {n:w} axes, and {term:w} labels {m:w}",
    "{i}번 피연산자는 {t|이라} 축이 {n}개인데 {term|은} {m}개를 적었습니다.",
  ],
  ["{c:w} is no label; labels are single letters", "{c|은} 첨자가 아닙니다. 첨자는 글자 하나입니다."],
  ["the result has label {c:w}, which no operand has", "결과의 첨자 {c|이} 어느 피연산자에도 없습니다."],
  ["the result names a label twice", "결과에 같은 첨자가 두 번 나옵니다."],
  ["label {c:w} stands for sizes {a:w} and {b:w} of one operand", "첨자 {c|이} 한 피연산자에서 크기 {a|과} {b|을} 함께 뜻합니다."],
  ["label {c:w} stands for sizes {a:w} and {b:w}", "첨자 {c|이} 크기 {a|과} {b|을} 함께 뜻합니다."],
  // Matrices.
  [
    "it takes a matrix, or matrices along leading axes: a row is {g}",
    "행렬이나 앞 축을 따라 쌓인 행렬을 받습니다. 행 하나는 {g|으로} 씁니다.",
  ],
  [
    "{x:w} is {t:t}, {r:w} by {c:w}; {op:w} takes square matrices",
    "{x|은} {t}이고 크기는 {r} x {c}입니다. {op|은} 정사각 행렬을 받습니다.",
  ],
  [
    "{x:w} is not positive definite: its leading minor of order {n:w} is not above 0; add a small multiple of the unit matrix, or use eigh or solve, which take any sign",
    "{x|은} 양의 정부호가 아닙니다. {n}차 선행 소행렬식이 0보다 크지 않습니다. 단위 행렬을 조금 더하거나, 부호를 가리지 않는 eigh나 solve를 쓰세요.",
  ],
  [
    "{x} is singular: pivot {p:w} of {_q:w} is 0, column {c:w} being a combination of those before it; drop what is redundant, add a small multiple of the unit matrix, or take the least-squares solution from svd",
    "{x!|은} 특이 행렬입니다. {p}번 피벗이 0이고 {c}번 열은 앞 열들의 일차 결합입니다. 남는 것을 빼거나, 단위 행렬을 조금 더하거나, svd로 최소제곱 해를 구하세요.",
  ],
  ["b is {t:t}; it takes a vector of {n:w}, or a matrix with {m:w} rows", "b는 {t}입니다. 길이 {n}인 벡터나 {m}행인 행렬을 받습니다."],
  [
    "{a:w} is {t:t} and {b:w} is {u:t}; {c:w} needs {n:w} rows, as many as {d:w}, and has {m:w}",
    "{a|은} {t}, {b|은} {u}입니다. {c}에는 {d|과} 같은 {n}행이 필요한데 {m}행입니다.",
  ],
  // Numbers and lists.
  [
    "{x:w} beside {t:w}: {d:w} cannot hold it; {_more}",
    '{t} 옆의 {x}: {d|은} 이 수를 담을 수 없습니다. 다른 피연산자에 cast(..., "f64")를 쓰거나 범위 안의 값을 쓰세요.',
  ],
  ["{x:w} beside {t:w}: {d:w} cannot hold it", "{t} 옆의 {x}: {d|은} 이 수를 담을 수 없습니다."],
  ["lists are nested deeper than 64; is one inside itself?", "목록이 64겹보다 깊이 중첩되었습니다. 목록이 자기 자신 안에 있나요?"],
  [
    "element {a:w} is a list of {n:w}, others there are numbers; all rows must have one shape",
    "원소 {a|은} 길이 {n}인 목록인데 다른 원소는 수입니다. 모든 행의 모양이 같아야 합니다.",
  ],
  [
    "element {a:w} is {b}, others there are numbers; all rows must have one shape",
    "원소 {a|은} {b!}인데 다른 원소는 수입니다. 모든 행의 모양이 같아야 합니다.",
  ],
  [
    "element {a:w} is {b}, others there are lists; all rows must have one shape",
    "원소 {a|은} {b!}인데 다른 원소는 목록입니다. 모든 행의 모양이 같아야 합니다.",
  ],
  [
    "row {a:w} has {n:w} elements and the first row has {m:w}; all rows must have one length",
    "행 {a}의 원소는 {n}개인데 첫 행은 {m}개입니다. 모든 행의 길이가 같아야 합니다.",
  ],
  ["{n:w} elements do not fill {t}, which has {m:w}", "원소 {n}개로는 {m}개인 {t|을} 채울 수 없습니다."],
  ["the data is {s} and the type is {t}; they must have one shape", "데이터는 {s}, 타입은 {t}입니다. 두 모양이 같아야 합니다."],
  [
    "element {i:w} is {x:w}, which {t:w} cannot hold; use another dtype",
    "원소 {i|은} {x}인데 {t|은} 이 수를 담을 수 없습니다. 다른 자료형을 쓰세요.",
  ],
  ["a size is {a:w}; sizes are whole numbers, 0 or more", "크기가 {a}입니다. 크기는 0 이상의 정수여야 합니다."],
  [
    "{x:w} is {y}; operands are Values, Tensors, typed arrays and numbers",
    "{x|이} {y!}입니다. 피연산자는 Value, Tensor, 형식화 배열, 수입니다.",
  ],
  // Pictures.
  [
    "draw: the scene has {n:w} items and {m:w} wires, more than maxItems = {k:w} (and four wires to each) allows; draw it at a smaller depth, draw a part of it, or raise maxItems",
    "그림에 항목 {n}개와 선 {m}개가 있어 한도(항목 {k}개)를 넘습니다. 깊이를 줄이거나 일부만 그리세요.",
  ],
  [
    "draw: wires pass through more than {n:w} places on their way; the graph is too long for one picture, draw it at a smaller depth or a part of it",
    "선이 지나는 자리가 {n}개를 넘습니다. 그림 하나에 담기에는 그래프가 너무 기니 깊이를 줄이거나 일부만 그리세요.",
  ],
  [
    "draw: the wires form a cycle; a computational graph has none, draw one turn of the loop",
    "선이 순환합니다. 계산 그래프에는 순환이 없으니 반복의 한 바퀴만 그리세요.",
  ],
  // Derivatives.
  ["integers and truth values have no gradient", "정수와 참거짓 값에는 기울기가 없습니다."],
  ["{x:w} is a constant; make it {g} to ask for its gradient", "{x|은} 상수입니다. 기울기를 구하려면 {g|으로} 만드세요."],
  [
    "the function returned {t}; a gradient is of a scalar: take sum or mean, or use jacobian or vjp",
    "함수가 {t|을} 돌려주었습니다. 기울기는 스칼라의 것이므로 sum이나 mean을 쓰거나 jacobian, vjp를 쓰세요.",
  ],
  ["the function returned {t}; only floating-point values have gradients", "함수가 {t|을} 돌려주었습니다. 실수 값에만 기울기가 있습니다."],
];

/** Parts of such sentences. */
export const opPhrases: readonly Row[] = [
  ["floating-point numbers", "실수"],
  ["numbers, not truth values", "참거짓이 아닌 수"],
  ["numbers", "수"],
  ["truth values", "참거짓 값"],
  ["{a:w} and {b:w}", "{a|과} {b}"],
  ["null", "null"],
];
