import type { Row } from "./tell-fault.ts";

/** What training runs, their checkpoints and reports say. */
export const runs: readonly Row[] = [
  // Lines that tell what differs.
  ["{x:p}: missing there, {t} here", "{x}: 저쪽에는 없음, 여기는 {t}"],
  ["{x:p}: {t} there, unknown here", "{x}: 저쪽은 {t}, 여기에는 없음"],
  ["{x:p}: {t} there, {u} here", "{x}: 저쪽은 {t}, 여기는 {u}"],
  ["and {n:w} more", "그 밖에 {n}개"],
  // Checkpoints.
  ["its tensors are not those that were asked for:", "필요한 텐서와 다릅니다:"],
  [
    "the file has tensors and no state of a training; for weights alone write {g}",
    "파일에 텐서는 있는데 학습의 상태가 없습니다. 가중치만이라면 {g|을} 쓰세요.",
  ],
  [
    "its checksum does not fit: the file is damaged; use an older one",
    "체크섬이 맞지 않습니다. 파일이 손상되었으니 더 오래된 것을 쓰세요.",
  ],
  ["its header is no JSON", "헤더가 JSON이 아닙니다."],
  [
    "its format is {a:w}, and this version reads format 1; a newer chainrule wrote it",
    "형식이 {a|이라} 형식 1을 읽는 이 버전으로는 읽을 수 없습니다. 더 새로운 chainrule이 쓴 파일입니다.",
  ],
  [
    "it is the checkpoint of another model or optimiser, and nothing was changed:",
    "다른 모델이나 옵티마이저의 체크포인트라 아무것도 바꾸지 않았습니다:",
  ],
  ["Train the model that it was written for, or name another file", "이 체크포인트를 쓴 모델을 학습하거나 다른 파일을 주세요"],
  [
    "the data comes otherwise than it did, so the run cannot go on as it was:",
    "데이터가 전과 다르게 와서 학습을 그대로 이어 갈 수 없습니다:",
  ],
  ["Use the same loader, or start anew from its weights", "같은 loader를 쓰거나, 그 가중치에서 새로 시작하세요"],
  [
    "{a:w} was written with another seed; resume with the same seed, or the run would be another",
    "{a|은} 다른 시드로 쓰였습니다. 같은 시드로 이어 가지 않으면 다른 학습이 됩니다.",
  ],
  ["no file is named, here or in the checkpoint of the options", "여기에도 checkpoint 설정에도 파일이 없습니다."],
  // Options.
  ["it is a whole number, {n:w} or more", "{n} 이상의 정수여야 합니다."],
  [
    "the monitor looks at {a:w}, a number of the validation, and there is none; give validate",
    "monitor가 보는 {a|은} 검증의 수인데 검증이 없습니다. validate를 주세요.",
  ],
  ["the monitor looks at {a:w}, and the validation has {b:p}", "monitor가 보는 {a|이} 검증에 없습니다. 있는 것: {b}."],
  ["checkpoint.file is the path of the file to write", "checkpoint.file은 쓸 파일의 경로여야 합니다."],
  ["the model has no parameters, so there is nothing to train", "모델에 매개변수가 없어 학습할 것이 없습니다."],
  ["{a:w} is empty: it has no rows", "{a|이} 비었습니다. 행이 없습니다."],
  [
    "{a:w} has {n:w} rows, which fill no batch of {m:w}; make the batch smaller, or keep the last one: {g}",
    "{a}의 행이 {n}개라 {m}행짜리 배치 하나를 채우지 못합니다. 배치를 줄이거나 마지막 배치를 남기세요: {g}",
  ],
  [
    "{a:w} has {n:w} rows and a batch is {m:w}; a batch larger than the data would be all of it: write {g} if that is meant",
    "{a}의 행이 {n}개인데 배치는 {m}행입니다. 데이터보다 큰 배치는 데이터 전체가 됩니다. 그것을 뜻했다면 {g|을} 쓰세요.",
  ],
  ["data gave no batch in pass {n:w}; it is empty", "{n}번째 바퀴에서 데이터가 배치를 주지 않았습니다. 비어 있습니다."],
  ["data gave no batch; it is empty", "데이터가 배치를 주지 않았습니다. 비어 있습니다."],
  // Losses and batches.
  [
    "the loss function returned no loss; return a scalar Value, or a record with one called loss",
    "손실 함수가 손실을 돌려주지 않았습니다. 스칼라 Value나, loss가 든 레코드를 돌려주세요.",
  ],
  ["it is one floating-point number: mean(...) over the batch", "실수 하나여야 합니다. 배치에 mean(...)을 쓰세요."],
  ["parameters are tensors: write evaluate(...) around them", "매개변수는 텐서여야 하니 evaluate(...)로 감싸세요."],
  ["{where:p}: {x:w} is no tensor; a batch is a tree of tensors", "{where}: {x|은} 텐서가 아닙니다. 배치는 텐서의 트리여야 합니다."],
  [
    "{where:p} is ragged: {x:w} has {n:w} rows and {y:w} is {t}; all tensors of a batch have the same axis 0",
    "{where}의 행 수가 다릅니다. {x|은} {n}행이고 {y|은} {t}입니다. 배치의 모든 텐서는 축 0의 크기가 같아야 합니다.",
  ],
  ["{where:p} has no tensor with rows; rows are axis 0", "{where}에 행이 있는 텐서가 없습니다. 행은 축 0입니다."],
  [
    "{where:p} has 0 rows; a mean over nothing is NaN, so leave such batches out",
    "{where}에 행이 없습니다. 아무것도 없는 평균은 NaN이니 이런 배치는 빼세요.",
  ],
  ["no step was made yet; iterate first, or await finish()", "아직 한 단계도 하지 않았습니다. 먼저 반복하거나 finish()를 await 하세요."],
  [
    "train: step {n:w}, epoch {e:w}: {x:p} is {v:p}; the parameters are as they were before the step. Replay it: {g}",
    "학습 {n}단계, {e}번째 에폭: {x|이} {v|이} 되었습니다. 매개변수는 그 단계 전 그대로입니다. 다시 해 보려면: {g}",
  ],
  [
    "train: step {n:w}, epoch {e:w}: the {x:w} is {v:p}; the parameters are as they were before the step. Replay it: {g}",
    "학습 {n}단계, {e}번째 에폭: {x|이} {v|이} 되었습니다. 매개변수는 그 단계 전 그대로입니다. 다시 해 보려면: {g}",
  ],
  ["train: step {n:w}, epoch {e:w}, {row} of the data: {what:s}", "학습 {n}단계, {e}번째 에폭, 데이터의 {row!}: {what!}"],
  [
    "{part:w}: {x:p} ({t:t} a batch) is {v:w} in {row:p}, column {c:w}; leave such rows out or fill the gaps, or say {g} if the loss can take it",
    "{part}: {x}(배치는 {t})의 {row}, 열 {c|이} {v}입니다. 이런 행을 빼거나 빈 곳을 채우거나, 손실이 받을 수 있으면 {g|을} 쓰세요.",
  ],
  [
    "{part:w}: {x:p} ({t:t} a batch) is {v:w} in {row:p}; leave such rows out or fill the gaps, or say {g} if the loss can take it",
    "{part}: {x}(배치는 {t})의 {row|이} {v}입니다. 이런 행을 빼거나 빈 곳을 채우거나, 손실이 받을 수 있으면 {g|을} 쓰세요.",
  ],
  // Metrics.
  [
    "logits are {t:t} and labels {u:t}; they are [rows, classes] and [rows]",
    "logits는 {t}, labels는 {u}입니다. [행, 클래스]와 [행]이어야 합니다.",
  ],
  ["it is a whole number from 1 to {n:w}, the number of classes", "1부터 클래스의 수인 {n}까지의 정수여야 합니다."],
  ["a confusion matrix is square, [classes, classes]", "혼동 행렬은 [클래스, 클래스]인 정사각 행렬입니다."],
  ["the table is {t:t}", "표가 {t}입니다."],
  [
    "distributed works on the memory of the engine, and {a:w} keeps its own; use wasm() without a worker, or reference()",
    "distributed는 엔진의 메모리를 쓰는데 {a|은} 자기 메모리를 따로 둡니다. 워커 없는 wasm()이나 reference()를 쓰세요.",
  ],
  [
    "distributed.syncBatchNorm is asked for, and the loss has no batch norm that is told of it; hand context.across on: {g}",
    "distributed.syncBatchNorm을 켰는데 손실에 이를 아는 배치 정규화가 없습니다. context.across를 넘기세요: {g}",
  ],
  // Several ranks.
  ["it is a number of bytes, 1 or more", "1 이상의 바이트 수여야 합니다."],
  ["it is a number of steps, 1 or more", "1 이상의 단계 수여야 합니다."],
  ["the bandwidth is {n:w} bytes a second; it is a number above 0", "대역폭이 초당 {n}바이트입니다. 0보다 큰 수여야 합니다."],
  ["the latency is {n:w} s; it is 0 or more", "지연 시간이 {n}초입니다. 0 이상이어야 합니다."],
  [
    "a step of one among them is measured up to {n:w}, whose losses it adds up as they would",
    "그 가운데 하나의 한 단계는 {n}개까지 잽니다. 그 손실을 랭크들처럼 더합니다.",
  ],
  [
    "bind tells what the data of a whole batch decide, and with distributed each rank has some of its rows; train such a model in one process",
    "bind는 배치 전체의 데이터가 정하는 것을 알려 주는데, distributed에서는 랭크마다 행의 일부만 있습니다. 이런 모델은 한 프로세스에서 학습하세요.",
  ],
];

/** Parts of such sentences. */
export const runPhrases: readonly Row[] = [
  ["the norm of the gradient", "기울기의 노름"],
  ["the norm", "노름"],
  ["not finite", "유한하지 않은 값"],
  ["batch {n:w} of the data", "데이터의 배치 {n}"],
  ["batch {n:w} of {a:w}", "{a}의 배치 {n}"],
  ["group {a:w}", "묶음 {a}"],
  ["row {n:w}", "{n}번 행"],
  ["row {n:w} of batch {m:w}", "배치 {m}의 {n}번 행"],
  ["row {n:w} of the batch", "배치의 {n}번 행"],
  ["a batch", "배치"],
  ["the batch", "배치"],
];
