import type { Row } from "./tell-fault.ts";

/** What optimisers, searches and fine-tuning say. */
export const optimizing: readonly Row[] = [
  ["an average begins with the parameters, so give tensors to init", "평균은 매개변수에서 시작하니 init에 텐서를 주세요."],
  ["opt has no {a:w}; make it with the init of the averaged optimiser", "opt에 {a|이} 없습니다. averaged 옵티마이저의 init으로 만드세요."],
  [
    "opt has no averages; they are kept by an optimiser that is averaged(...)",
    "opt에 평균이 없습니다. 평균은 averaged(...)인 옵티마이저가 간직합니다.",
  ],
  ["{x:w} is {t:t} and the parameter {u:t}; it is of other parameters", "{x|은} {t}인데 매개변수는 {u}입니다. 다른 매개변수의 것입니다."],
  ["gradients are cut to a magnitude above 0", "기울기를 자를 크기는 0보다 커야 합니다."],
  ["there are no parameters; the tree given has no leaves", "매개변수가 없습니다. 준 트리에 잎이 없습니다."],
  ["every parameter is frozen, so there is nothing to train: {a:p}", "모든 매개변수를 고정해 학습할 것이 없습니다: {a}"],
  ["only floating-point parameters are trained: {g}", "실수 매개변수만 학습합니다: {g}"],
  ["gradients have the types of their parameters; in grad {what:s}", "기울기의 타입은 매개변수와 같아야 합니다. 다른 것: {what!}"],
  ["opt is the state of another optimiser or other parameters: {what:s}", "opt가 다른 옵티마이저나 다른 매개변수의 상태입니다: {what!}"],
  ["a search begins somewhere, so give numbers or tensors", "찾기는 어딘가에서 시작해야 하니 수나 텐서를 주세요."],
  ["only floating-point numbers are searched: close over it", "실수만 찾습니다. 이 값은 함수 밖의 값으로 쓰세요."],
  ["element {i:w} of {x:p} is {v:w}; the start has to be finite", "{x}의 원소 {i|이} {v}입니다. 시작점은 유한해야 합니다."],
  ["the start has no numbers in it, so there is nothing to search for", "시작점에 수가 없어 찾을 것이 없습니다."],
  ["residual {i:w} is {v:w} at the start; begin where all are finite", "시작점에서 잔차 {i|이} {v}입니다. 모두 유한한 곳에서 시작하세요."],
  ["there are no residuals; the function gave a Value of no elements", "잔차가 없습니다. 함수가 원소 없는 Value를 냈습니다."],
  [
    "the derivative of residual {i:w} by {x:w} is {v:w} at the start; begin away from edges and kinks",
    "시작점에서 {x}에 대한 잔차 {i}의 도함수가 {v}입니다. 경계와 꺾인 점에서 떨어진 곳에서 시작하세요.",
  ],
  ["the function gave {x:p}; it computes a Value of residuals", "함수가 {x|을} 냈습니다. 잔차의 Value를 계산해야 합니다."],
  ["the function gave {x:p}; it computes a scalar Value", "함수가 {x|을} 냈습니다. 스칼라 Value를 계산해야 합니다."],
  ["the residuals are {t:t}; they are floating-point numbers", "잔차가 {t}입니다. 실수여야 합니다."],
  ["it is the number of steps to remember, 1 or more", "기억할 단계 수이므로 1 이상이어야 합니다."],
  ["there are lbfgs and newton, and leastSquares for sums of squares", "lbfgs와 newton이 있고, 제곱의 합에는 leastSquares가 있습니다."],
  ["the function is {v:w} at the start; begin where it is finite", "시작점에서 함수의 값이 {v}입니다. 유한한 곳에서 시작하세요."],
  [
    "the derivative by {x:w} is {v:w} at the start; begin away from edges and kinks, and {g} tells where it comes from",
    "시작점에서 {x}에 대한 도함수가 {v}입니다. 경계와 꺾인 점에서 떨어진 곳에서 시작하세요. 어디서 왔는지는 {g|이} 알려 줍니다.",
  ],
  ["opt has no step, only {a:p}; pass what optimizer.init gave", "opt에 step이 없습니다. 있는 것: {a}. optimizer.init이 낸 것을 넘기세요."],
  [
    "{a:w} names no parameter; * stands for any characters, and there are {b:p}",
    "{a|은} 어느 매개변수의 이름도 아닙니다. *는 아무 글자들이나 뜻합니다. 있는 것: {b}.",
  ],
  ["it is the first rate, a number above 0", "첫 학습률이므로 0보다 큰 수여야 합니다."],
  ["it is between 0 and 1, so that the rate falls", "학습률이 줄어들도록 0과 1 사이여야 합니다."],
  ["it is a whole number of metrics, 0 or more", "지표를 세는 0 이상의 정수여야 합니다."],
  ["it is a share of the best metric, from 0 on and below 1", "가장 좋은 지표에 대한 몫이므로 0 이상이고 1보다 작아야 합니다."],
  ["it is the lowest rate, from 0 to the first one", "가장 낮은 학습률이므로 0부터 첫 학습률까지여야 합니다."],
  ["it is a scalar, as a mean loss", "평균 손실처럼 스칼라여야 합니다."],
  ["give a number as 1e-3, or a schedule", "1e-3 같은 수나 스케줄을 주세요."],
  ["rate is missing", "rate가 없습니다."],
  [
    "rate is 0, so nothing would be learnt; to hold parameters fixed, name them in freeze",
    "rate가 0이라 아무것도 배우지 못합니다. 매개변수를 고정하려면 freeze에 그 이름을 적으세요.",
  ],
  ["a rate is a number above 0, and usually between 1e-5 and 1", "학습률은 0보다 큰 수이고 보통 1e-5와 1 사이입니다."],
  [
    "the schedule gave {x:p}; it computes a Value from the step, as {g}",
    "스케줄이 {x|을} 냈습니다. {g}처럼 단계에서 Value를 계산해야 합니다.",
  ],
  ["the schedule gave {x:p}; a rate is a scalar", "스케줄이 {x|을} 냈습니다. 학습률은 스칼라여야 합니다."],
  ["it is a number from {a:w} on", "{a} 이상의 수여야 합니다."],
  ["it is a number from {a:w} on and below {b:w}", "{a} 이상이고 {b}보다 작은 수여야 합니다."],
  ["it has to be a rate, a number of 0 or more", "학습률이므로 0 이상의 수여야 합니다."],
  ["it has to be a rate, a number above 0", "학습률이므로 0보다 큰 수여야 합니다."],
  ["it has to be a whole number of steps, {n:w} or more", "{n} 이상의 단계 수여야 합니다."],
  ["it has to be a number above 0 that rates are multiplied by", "학습률에 곱할 0보다 큰 수여야 합니다."],
  ["it has to be a whole number, {n:w} or more", "{n} 이상의 정수여야 합니다."],
  ["it has to be a share of the steps, from 0 to 1", "단계에 대한 몫이므로 0부터 1까지여야 합니다."],
  ["it has to be a number above 0", "0보다 큰 수여야 합니다."],
  ["it has to be a whole number of steps, fewer than the {n:w} of all", "전체 {n}단계보다 적은 단계 수여야 합니다."],
  ["give either every, as 30, or at, as [30, 60, 90]", "every(예: 30)나 at(예: [30, 60, 90]) 가운데 하나를 주세요."],
  [
    "a plateau has no steps to begin with; warm up a number or a schedule",
    "plateau에는 시작할 단계가 없습니다. 수나 스케줄을 warmup 하세요.",
  ],
  ["it is the number of rounds at most, 0 or more", "최대 반복 횟수이므로 0 이상이어야 합니다."],
  [
    "nesterov needs a momentum and no dampening; momentum is {a:w} and dampening {b:w}",
    "nesterov에는 momentum이 있고 dampening이 없어야 합니다. momentum은 {a}, dampening은 {b}입니다.",
  ],
  // Fine-tuning.
  [
    "an adapter is a product of two matrices, so its weight has two axes or more",
    "어댑터는 두 행렬의 곱이므로 가중치에 축이 둘 이상 있어야 합니다.",
  ],
  [
    "rank {n:w} is larger than {x:w}, {t}, has room for; it is {m:w} at most, and much smaller in use",
    "rank {n|은} {x}({t})에 넣기에 너무 큽니다. {m} 이하여야 하고, 보통 훨씬 작게 씁니다.",
  ],
  ["there is no factor {a:w}; there are {b:p}", "인자 {a|이} 없습니다. 있는 것: {b}."],
  ["give all of params, changed or not", "바꾸지 않은 것까지 params를 모두 주세요."],
  ["this is no model that onnx.read gave", "onnx.read가 낸 모델이 아닙니다."],
  [
    "the model has no product and no convolution whose weight is trained; name weights in targets: {a:p}",
    "모델에 학습하는 가중치를 쓰는 곱이나 합성곱이 없습니다. targets에 가중치의 이름을 적으세요: {a}",
  ],
  [
    "the adapter of {a:w} would be called {b:w}, and there is one of that name; merge the adapters first",
    "{a}의 어댑터 이름이 {b|이} 되는데 그 이름이 이미 있습니다. 먼저 어댑터를 합치세요.",
  ],
  [
    "it does not say that its tensors are adapters; saveAdapters writes them, and loadTensors reads tensors alone",
    "텐서가 어댑터라는 표시가 없습니다. 어댑터는 saveAdapters가 쓰고, 텐서만이라면 loadTensors가 읽습니다.",
  ],
  ["its adapters are those of another model: there is no weight {a:p} here", "다른 모델의 어댑터입니다. 여기에는 가중치 {a|이} 없습니다."],
  [
    "{a:w} is tied to {b:w}; name that one, or read the model with { tie: false } (--tie none) and they are two",
    "{a|은} {b|과} 하나로 묶여 있습니다. 뒤의 이름을 적거나, 모델을 { tie: false }(--tie none)로 읽어 둘로 나누세요.",
  ],
  [
    "it has an adapter of {a:w}, which is tied to {b:w} here; read the model with { tie: false }, as it was for these adapters",
    "{a}의 어댑터가 있는데, 이 가중치는 여기서 {b|과} 하나로 묶여 있습니다. 어댑터를 만들 때처럼 모델을 { tie: false }로 읽으세요.",
  ],
  ["its adapters are those of another model:", "다른 모델의 어댑터입니다:"],
  [
    "nothing is left to train; the model has no floating-point weights. Those of a quantised model are whole numbers: train the file from before, and quantise what comes out",
    "학습할 것이 없습니다. 모델에 부동소수점 가중치가 없습니다. 양자화한 모델의 가중치는 정수이니, 양자화하기 전 파일을 학습하고 나온 것을 양자화하세요.",
  ],
  ["nothing is left to train; the model has {a:p}", "학습할 것이 남지 않았습니다. 모델의 가중치: {a}."],
];

/** Parts of such sentences: lists of what differs. */
export const optimizingPhrases: readonly Row[] = [
  ["{x:p} is {t:t} and the parameter {u:t}", "{x|은} {t}(매개변수는 {u})"],
  ["{x:p} is {t:t} and the parameter {u:t} and {n:w} more", "{x|은} {t}(매개변수는 {u}) 외 {n}개"],
  ["{x:p} is {t:t} and the parameter {u:t}, {rest:s}", "{x|은} {t}(매개변수는 {u}), {rest!}"],
];
