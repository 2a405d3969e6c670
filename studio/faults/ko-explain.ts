import type { Row } from "./tell-fault.ts";

/** What explanations, walks, health and pictures say. */
export const explanations: readonly Row[] = [
  [
    "{x:w} depends on no variable, so how it was made is forgotten once it is read; make what you ask about a variable(...)",
    "{x|은} 변수에 의존하지 않아, 읽고 나면 어떻게 만들었는지 남지 않습니다. 물어볼 값을 variable(...)로 만드세요.",
  ],
  ["wrt names {a:w}, which is no Value; give the variables themselves: {g}", "wrt의 {a|은} Value가 아닙니다. 변수 자체를 주세요: {g}"],
  [
    "{a:w} is {i}, and {x:w} is {t}, with {n:w} elements; give a flat index or one index per axis",
    "{a|은} {i}인데 {x|은} {t|이라} 원소가 {n}개입니다. 펼친 인덱스 하나나 축마다 인덱스 하나를 주세요.",
  ],
  [
    'format {a:w} is not there; "svg", "dot", "mermaid" and "text" are',
    'format {a|은} 없습니다. "svg", "dot", "mermaid", "text"가 있습니다.',
  ],
  ['language {a:w} is not there; "en" and "ko" are', '언어 {a|은} 없습니다. "en"과 "ko"가 있습니다.'],
  ['convention {a:w} is not there; "pytorch" and "jax" are', '관례 {a|은} 없습니다. "pytorch"와 "jax"가 있습니다.'],
  ["give the Value to explain, such as add(x, y)", "add(x, y)처럼 설명할 Value를 주세요."],
  [
    "a backward pass starts at a floating-point scalar: take sum or mean first",
    "역전파는 실수 스칼라에서 시작하니 먼저 sum이나 mean을 쓰세요.",
  ],
  ["a backward pass starts at a floating-point scalar", "역전파는 실수 스칼라에서 시작합니다."],
  ["give the loss", "손실을 주세요."],
  ["{f:w} has no operand {a:w}; it has {b:p}", "{f}에는 피연산자 {a|이} 없습니다. 있는 것: {b}."],
  ["element {i:w} of {t}; it has {n:w}", "{t}의 원소 {i|이} 없습니다. 원소는 {n}개입니다."],
  ["a gradient starts at a scalar: take sum or mean first", "기울기는 스칼라에서 시작하니 먼저 sum이나 mean을 쓰세요."],
  ["{x:p} is no Value; write {g} with the Values themselves", "{x|은} Value가 아닙니다. Value 자체를 넣어 {g|으로} 쓰세요."],
  [
    "the Jacobians of tensors as large as {f:w}'s {t} have too many elements to go through; ask by edge, about a part of the graph, or at a smaller size",
    "{f}의 {t}만큼 큰 텐서의 야코비안은 원소가 너무 많아 모두 볼 수 없습니다. 간선으로 묻거나, 그래프의 일부나 더 작은 크기로 물어보세요.",
  ],
  ["it is a whole number, 0 or more", "0 이상의 정수여야 합니다."],
  ["it is {a:w} or {b:w}", "{a} 또는 {b|이어야} 합니다."],
  [
    'by "edge" gives blocks of all elements at once; leave element out, or ask by "element"',
    '"edge"로 물으면 모든 원소의 덩어리를 한꺼번에 냅니다. element를 빼거나 "element"로 물어보세요.',
  ],
  ["say which element to differentiate: {g}, or take its sum", "어느 원소를 미분할지 적거나({g}) sum을 쓰세요."],
  ["say which element to go back to: {g}", "어느 원소로 거슬러 갈지 적으세요: {g}"],
  ["give a loss, or a function or graph and its inputs", "손실을 주거나, 함수나 그래프와 그 입력을 주세요."],
  [
    'the loss is no Value; give a floating-point scalar, or name it "loss" in what the function returns',
    '손실이 Value가 아닙니다. 실수 스칼라를 주거나, 함수가 돌려주는 것에서 "loss"로 이름을 붙이세요.',
  ],
  [
    'give a floating-point scalar, or name it "loss" in what the function returns',
    '실수 스칼라를 주거나, 함수가 돌려주는 것에서 "loss"로 이름을 붙이세요.',
  ],
  ["wrt names {a:w}, which is {t:t}; parameters are floating-point Values", "wrt의 {a|은} {t}입니다. 매개변수는 실수 Value여야 합니다."],
  [
    "wrt names {a:w}, which is no Value; parameters are floating-point Values",
    "wrt의 {a|은} Value가 아닙니다. 매개변수는 실수 Value여야 합니다.",
  ],
  ["a learning rate is a number above 0", "학습률은 0보다 큰 수여야 합니다."],
  ["updates name {a:w}, which is no parameter; there are {b:p}", "updates의 {a|은} 매개변수가 아닙니다. 있는 것: {b}."],
  ["it is a number from 0 up", "0 이상의 수여야 합니다."],
  // Pictures.
  ['depth {a} is no depth; give 0, 1, 2, ... or "all"', 'depth {a|은} 깊이가 아닙니다. 0, 1, 2, ... 또는 "all"을 쓰세요.'],
  [
    "the picture would have {n:w} items, more than maxItems = {m:w}; name its parts with scope(name, ...) and they are drawn as one box each, draw a part of it (any Value inside), or raise maxItems",
    "그림에 항목이 {n}개라 한도(maxItems = {m})를 넘습니다. scope(name, ...)로 부분에 이름을 붙이면 상자 하나씩으로 그려집니다. 아니면 일부(안의 Value)만 그리거나 maxItems를 늘리세요.",
  ],
  [
    "the picture would have {n:w} items, more than maxItems = {m:w}; draw it at a smaller depth, draw a part of it (any Value inside), or raise maxItems",
    "그림에 항목이 {n}개라 한도(maxItems = {m})를 넘습니다. 깊이를 줄이거나, 일부(안의 Value)만 그리거나, maxItems를 늘리세요.",
  ],
  ["give a Value or a Graph", "Value나 Graph를 주세요."],
  [
    "the layout has {n:w} items, and it is not one of this picture's scene; lay that out",
    "배치에 항목이 {n}개인데 이 그림의 장면을 배치한 것이 아닙니다. 이 장면을 배치하세요.",
  ],
  [
    "step {n:w}: a graph without values has no steps; call it on values and draw the result",
    "{n}단계: 값이 없는 그래프에는 단계가 없습니다. 값을 넣어 부르고 그 결과를 그리세요.",
  ],
  [
    "there is no step {n:w}; the walk has {m:w} steps, {f:w} forward and {b:w} backward, and step 0 before them",
    "{n}단계는 없습니다. 순전파 {f}단계와 역전파 {b}단계를 더해 {m}단계이고, 그 앞에 0단계가 있습니다.",
  ],
  [
    "near names the item {a}, and the picture has none of that id; take one of scene().items",
    "near의 항목 {a|이} 그림에 없습니다. scene().items 가운데 하나를 쓰세요.",
  ],
  [
    "the walk has {n:w} steps and a page shows up to {m:w}; ask for fewer variables, explain a part of the graph, or draw it as svg",
    "{n}단계인데 페이지 하나는 {m}단계까지 보여 줍니다. 변수를 줄이거나, 그래프의 일부를 설명하거나, svg로 그리세요.",
  ],
  ["two items have the id {a}; give each item its own", "두 항목의 id가 {a|으로} 같습니다. 항목마다 다른 id를 주세요."],
  ["two items or groups have the id {a}; give each its own", "두 항목이나 묶음의 id가 {a|으로} 같습니다. 저마다 다른 id를 주세요."],
  [
    "the group {a} lies in {b}, which is no group before it; list outer groups first",
    "묶음 {a|은} {b} 안에 있다는데 그 앞에 그런 묶음이 없습니다. 바깥 묶음을 먼저 적으세요.",
  ],
  [
    "the item {a} lies in {b}, which is no group of the scene; add the group",
    "항목 {a|은} {b} 안에 있다는데 장면에 그런 묶음이 없습니다. 묶음을 더하세요.",
  ],
  [
    "the wire from {a} to {b} ends at {c}, which is no item of the scene; add the item or drop the wire",
    "{a}에서 {b}까지의 선이 {c}에 닿는데 장면에 그런 항목이 없습니다. 항목을 더하거나 선을 빼세요.",
  ],
  [
    "the wire from {a} to {b} uses port {n:w}; ports are whole numbers from 0 to {m:w}",
    "{a}에서 {b}까지의 선이 포트 {n|을} 씁니다. 포트는 0부터 {m}까지의 정수입니다.",
  ],
  [
    "the wire from {a} to {b} starts at an output item; start it at the item that feeds that output",
    "{a}에서 {b}까지의 선이 출력 항목에서 시작합니다. 그 출력에 값을 주는 항목에서 시작하세요.",
  ],
  [
    "two wires end at operand {n:w} of {a}; an operand takes one value, give each wire its own input",
    "선 둘이 {a}의 {n}번 피연산자에 닿습니다. 피연산자는 값 하나를 받으니 선마다 다른 입력을 주세요.",
  ],
  [
    "the trunk at output {n:w} of {a} has no wires; drop it or add its branches",
    "{a}의 출력 {n}에서 나온 줄기에 선이 없습니다. 줄기를 빼거나 가지를 더하세요.",
  ],
  [
    "the active item {a} is no item of the scene; name one of its items or leave active out",
    "active 항목 {a|이} 장면에 없습니다. 있는 항목을 쓰거나 active를 빼세요.",
  ],
];
