"""Momentum whose matrix updates are orthogonalised (Muon; K. Jordan and others, 2024).

All matrices of one shape go through one batched product; in bfloat16 where the CPU has tiles for
it, which is as exact as the method needs.
"""

import torch

# Quintic of the paper: five rounds push every singular value into about [0.7, 1.2].
A, B, C, ROUNDS = 3.4445, -4.7750, 2.0315, 5


def orthogonal(stack):
    """stack: [n, rows, columns]; returns the nearest matrices with singular values about 1."""
    tall = stack.shape[1] > stack.shape[2]
    x = stack.transpose(1, 2) if tall else stack
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    if torch.cpu._is_amx_tile_supported():
        x = x.bfloat16()
    for _ in range(ROUNDS):
        square = x @ x.transpose(1, 2)
        x = A * x + (B * square + C * square @ square) @ x
    x = x.float()
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(self, matrices, lr, momentum=0.95, weight_decay=0.02):
        by_shape = {}
        for matrix in matrices:
            by_shape.setdefault(matrix.shape, []).append(matrix)
        groups = [{"params": members} for members in by_shape.values()]
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            ahead = []
            for p in group["params"]:
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                ahead.append(p.grad.lerp(state["momentum"], group["momentum"]))
            rows, columns = ahead[0].shape
            # 0.2 * sqrt(larger side): the step size per element that AdamW would take.
            share = 0.2 * max(rows, columns) ** 0.5 * group["lr"]
            for p, update in zip(group["params"], orthogonal(torch.stack(ahead))):
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-share)
