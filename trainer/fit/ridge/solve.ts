/**
 * Solves A x = b for a symmetric, positive definite A by Cholesky's factorisation (Golub and Van Loan, Matrix Computations, 4.2).
 * @param matrix size * size numbers, row-major, of which the lower triangle is read; it is overwritten by its factor
 * @param right size numbers, overwritten by the solution
 * @returns false where A is not positive definite to within rounding
 */
export function solveCholesky(matrix: Float64Array, right: Float64Array): boolean {
  const size = right.length;
  for (let column = 0; column < size; column += 1) {
    let diagonal = matrix[column * size + column]!;
    const least = diagonal * 1e-13;
    for (let k = 0; k < column; k += 1) diagonal -= matrix[column * size + k]! ** 2;
    if (!(diagonal > least)) return false;
    const root = Math.sqrt(diagonal);
    matrix[column * size + column] = root;
    for (let row = column + 1; row < size; row += 1) {
      let sum = matrix[row * size + column]!;
      for (let k = 0; k < column; k += 1) sum -= matrix[row * size + k]! * matrix[column * size + k]!;
      matrix[row * size + column] = sum / root;
    }
  }
  for (let row = 0; row < size; row += 1) {
    let sum = right[row]!;
    for (let k = 0; k < row; k += 1) sum -= matrix[row * size + k]! * right[k]!;
    right[row] = sum / matrix[row * size + row]!;
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    let sum = right[row]!;
    for (let k = row + 1; k < size; k += 1) sum -= matrix[k * size + row]! * right[k]!;
    right[row] = sum / matrix[row * size + row]!;
  }
  return true;
}
