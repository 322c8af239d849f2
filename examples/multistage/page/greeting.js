export function greeting(subject) {
    return `A mullion joins the ${subject}.`;
}
