import type { Row } from "./tell-fault.ts";

/** What layers say. */
export const layers: readonly Row[] = [
  ["keyMask is {t:t}; it is {u}, true for the keys that are there", "keyMask는 {t}인데 있는 키마다 true인 {u|이어야} 합니다."],
  ["it is [..., steps, size]", "[..., 단계, 크기]여야 합니다."],
  [
    "kernel has {n:w} sizes and there are {m:w} spatial axes; give one size, or one per axis",
    "kernel에 크기가 {n}개인데 공간 축은 {m}개입니다. 크기 하나나 축마다 하나씩 쓰세요.",
  ],
  [
    "there are {n:w} sizes and {m:w} spatial axes; give one size, or one per axis",
    "크기가 {n}개인데 공간 축은 {m}개입니다. 크기 하나나 축마다 하나씩 쓰세요.",
  ],
  [
    "x is {t:t} and w is {u:t} with groups {g:w}; x is [batch, {c:w}, ...space] with {n:w} spatial {_axes:w}",
    "x는 {t}, w는 {u}이고 groups는 {g}입니다. x는 공간 축이 {n}개인 [배치, {c}, ...공간]이어야 합니다.",
  ],
  ["x is [batch, {c:w}, ...space] with {n:w} spatial {_axes:w}", "x는 공간 축이 {n}개인 [배치, {c}, ...공간]이어야 합니다."],
  ["b is {s:w}, one number a channel", "b는 채널마다 수 하나인 {s|이어야} 합니다."],
  ["b is {s:w}, one number an output", "b는 출력마다 수 하나인 {s|이어야} 합니다."],
  [
    "it is the share of elements set to 0: 0 or more, and less than 1 (nothing would be left)",
    "0으로 만들 원소의 몫이므로 0 이상이고 1보다 작아야 합니다. 1이면 아무것도 남지 않습니다.",
  ],
  ["it is the share of elements set to 0: 0 or more, and less than 1", "0으로 만들 원소의 몫이므로 0 이상이고 1보다 작아야 합니다."],
  ["it is of floats", "실수여야 합니다."],
  ["it is [count, size], a row for each id", "id마다 한 행인 [개수, 크기]여야 합니다."],
  ["they are whole numbers: {g}", "정수여야 합니다: {g}"],
  ["parameters are floats", "매개변수는 실수여야 합니다."],
  ["the nonlinearity is {a:w}; it is {b:p}", "비선형 함수가 {a}입니다. {b} 가운데 하나여야 합니다."],
  [
    "there is next to nothing of a normal distribution with mean {m:w} and deviation {d:w} between {a:w} and {b:w}; move the bounds",
    "평균 {m}, 표준편차 {d}인 정규 분포에는 {a|과} {b} 사이에 거의 아무것도 없습니다. 경계를 옮기세요.",
  ],
  ["an orthogonal matrix has two axes or more", "직교 행렬에는 축이 둘 이상 있습니다."],
  ["a layer's sizes are whole numbers of 1 or more", "층의 크기는 1 이상의 정수여야 합니다."],
  ["sizes are whole numbers of 1 or more", "크기는 1 이상의 정수여야 합니다."],
  ["a size is {n:w}", "크기가 {n}입니다."],
  ["{a:w} must divide {b:p} evenly", "{b|이} {a|으로} 나누어떨어져야 합니다."],
  [
    "train is {a:p}; it is true or false, known while the graph is built: make one graph for training and one for evaluation",
    "train은 {a}입니다. 그래프를 만들 때 정해진 true나 false여야 합니다. 학습할 그래프와 평가할 그래프를 따로 만드세요.",
  ],
  [
    "train is missing; it is true or false, known while the graph is built: make one graph for training and one for evaluation",
    "train이 없습니다. 그래프를 만들 때 정해진 true나 false여야 합니다. 학습할 그래프와 평가할 그래프를 따로 만드세요.",
  ],
  ["there is no key to draw from; in training call {g}", "난수를 뽑을 키가 없습니다. 학습할 때는 {g|으로} 부르세요."],
  ["it is [inputs, outputs]", "[입력, 출력]이어야 합니다."],
  ["the last axis of x has to be of size {n:w}, the layer's inputs", "x의 마지막 축의 크기는 층의 입력 수인 {n|이어야} 합니다."],
  ["the last axis of x has to be of size {n:w}, the cell's inputs", "x의 마지막 축의 크기는 셀의 입력 수인 {n|이어야} 합니다."],
  ["the last axis of the state has to be of size {n:w}, the cell's units", "상태의 마지막 축의 크기는 셀의 유닛 수인 {n|이어야} 합니다."],
  ["{x:w} is {t:t} beside x, {u:t}", "{x|은} {t}이고 x는 {u}입니다."],
  ["{x:w} has one number for each of x's {n:w} channels", "{x}에는 x의 채널 {n}개마다 수가 하나씩 있어야 합니다."],
  ["it is the weight of a batch, between 0 and 1", "배치 하나의 무게이므로 0과 1 사이여야 합니다."],
  [
    "x is {t:t}, no number a channel, which has no variance; train on batches of 2 or more (leave out a smaller last one), or use the running statistics: {g}",
    "x는 {t|이라} 채널마다 수가 없어 분산이 없습니다. 2행 이상의 배치로 학습하거나(더 작은 마지막 배치는 빼고) 이동 통계를 쓰세요: {g}",
  ],
  [
    "x is {t:t}, one number a channel, which has no variance; train on batches of 2 or more (leave out a smaller last one), or use the running statistics: {g}",
    "x는 {t|이라} 채널마다 수가 하나뿐이어서 분산이 없습니다. 2행 이상의 배치로 학습하거나(더 작은 마지막 배치는 빼고) 이동 통계를 쓰세요: {g}",
  ],
  ["the last axis of x must be as in scale", "x의 마지막 축은 scale과 같아야 합니다."],
  ["the last axes of x must be as in scale", "x의 마지막 축들은 scale과 같아야 합니다."],
  ["x is {t:t} and the first axis to join is {a:w}; x has {n:w} axes", "x는 {t}인데 합칠 첫 축이 {a}입니다. x의 축은 {n}개입니다."],
  ["it is [N, C, ...space] with a spatial axis or more", "공간 축이 하나 이상인 [N, C, ...공간]이어야 합니다."],
  ["x is [..., steps, {c:w}] with {n:w} steps at most", "x는 단계가 {n}개 이하인 [..., 단계, {c}] 꼴이어야 합니다."],
  ["it is the position of the first step, a whole number of 0 or more", "첫 단계의 위치이므로 0 이상의 정수여야 합니다."],
  [
    "it is [..., steps, size] with an even size, whose elements turn in pairs",
    "원소가 둘씩 짝지어 도는, 크기가 짝수인 [..., 단계, 크기]여야 합니다.",
  ],
  [
    "w is {t}, u {u} and b {v}; they are [inputs, {a:w} hidden], [hidden, {b:w} hidden] and [{c:w} hidden]",
    "w는 {t}, u는 {u}, b는 {v}입니다. 차례로 [입력, {a} x 은닉], [은닉, {b} x 은닉], [{c} x 은닉]이어야 합니다.",
  ],
  ["a sequence is [..., steps, inputs]", "수열은 [..., 단계, 입력]이어야 합니다."],
  [
    "a child is called {a}; names are words without dots and slashes (JavaScript moves whole numbers to the front), as fc1",
    "자식의 이름이 {a}입니다. 이름은 fc1처럼 점과 빗금이 없는 낱말이어야 합니다(JavaScript는 정수인 이름을 앞으로 옮깁니다).",
  ],
  ["{x:w} is {a:p}; a child is layer.…(sizes) or a function of x", "{x|은} {a}입니다. 자식은 layer.…(sizes)이거나 x의 함수여야 합니다."],
  [
    "{x:p} is {a:p}; it is layer.…(sizes), a stack, or a function of x",
    "{x|은} {a}입니다. layer.…(sizes), 스택, x의 함수 가운데 하나여야 합니다.",
  ],
  ["use what init(key) of this stack made", "이 스택의 init(key)가 만든 것을 쓰세요."],
  [
    "the body gives {t:t} and the way around it {u:t}; both have one shape: give a second layer for the way around, {g}",
    "몸체는 {t|을}, 우회로는 {u|을} 냅니다. 두 모양이 같아야 하니 우회로에 둘째 층을 주세요: {g}",
  ],
];
