use misario_jose::SigningKey;

fn print(key: &SigningKey) {
    println!("{key}");
}

fn main() {}
